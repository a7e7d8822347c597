"""CLGS, CLDR and CLNER (Theodoropoulos, Henderson, Coman and Moens, CoNLL 2021): spaces of relations and entities taught by graphs."""
