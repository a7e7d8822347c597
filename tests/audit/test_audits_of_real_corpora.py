"""What the audit finds in real corpora through the shipped configs (skipped where RELCON_SHARED has them not)."""

from pathlib import Path

from relcon.audit import audit
from relcon.config import load_config

CONFIGS = Path(__file__).parents[2] / "configs"


def test_ade_has_119_sentences_with_overlapping_entities(shared):
    files = {name: str(shared(f"data/ade/{file}")) for name, file in (("train", "ade_full_spert.json"), ("folds", "cv_splits.json"))}
    words = ["--paths.train", files["train"], "--paths.folds", files["folds"], "--paths.pretrained", "none"]
    found = audit(load_config(CONFIGS / "pspe" / "ade.cfg", words))
    checks = {finding.check: finding for finding in found.findings}
    assert found.errors == 0
    assert checks["overlapping entities"].count == 119 and "of 4,272" in checks["overlapping entities"].message
    assert checks["related entities that overlap"].count == 120
    assert checks["texts twice in a split"].count == 1
    assert checks["lengths in words"].where == "[stages.joint]", "the encoder comes from another run"
    assert checks["types without a relation"].remedy.endswith('types = [["Adverse-Effect", "Drug"]]')


def test_scierc_has_the_relations_of_the_processed_release(shared):
    words = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", str(shared(f"data/scierc/json/{name}.json")))]
    found = audit(load_config(CONFIGS / "pspe" / "scierc.cfg", [*words, "--stages.pretrain", "null"]))
    (data,) = found.corpora
    assert {split.name: sum(split.relations.values()) for split in data.splits} == {"train": 3219, "dev": 455, "test": 974}
    overlaps = {each.where: each.message for each in found.findings if each.check == "overlapping entities"}
    assert all(f"({count} pairs of mentions" in overlaps[name] for name, count in (("train", 61), ("dev", 7), ("test", 20)))
    (one_sided,) = [each for each in found.findings if each.check == "one-sided labels"]
    assert "CONJUNCTION 502" in one_sided.message
