"""What the sample corpus is made of: names, words, clause templates and sentence templates of an invented harbour town.

A clause says something of one person {P} and one firm {F}; its label is what the clause's own syntax says of them.

* kind "person": a verb phrase whose subject is the person ("sold nets to {F}"); it can also stand after "who".
* kind "firm": a verb phrase whose subject is the firm ("bought nets from {P}"); it can also stand after "which".
* kind "whole": a full clause that names both ("the sale of nets by {P} to {F} took a week").

`[a|b]` chooses one, `<slot>` draws a word from SLOTS. No template of one split stands in another; `make_sample.py` asserts it.
"""

from typing import Dict, List, Tuple


def listed(text: str) -> List[str]:
    """Items with semicolons between."""
    return text.split(";")


FIRST_NAMES = listed(
    "Ada;Bertil;Corin;Delia;Edda;Fabian;Greta;Hanno;Ilse;Jorund;Katrin;Lorcan;Mirela;Nils;Odette;Piet;Quirin;Rosa;Stellan;Tamsin;"
    "Ulrike;Viggo;Wanda;Xaver;Yrsa;Zeno"
)
LAST_NAMES = listed(
    "Quill;Marrow;Tench;Ostler;Hallam;Brandt;Sorrel;Pike;Varga;Lindqvist;Okoro;Penhale;Castellan;Drury;Ekholm;Fenwick;Garland;Hobday;"
    "Ivens;Jessop;Kestrel;Lomax;Mather;Nettle;Orchard;Pomfret;Rusk;Savidge;Thorne;Underhill;Vickers;Wragg;Yarrow;Zeller"
)
PLACES = listed("Selwick;Northmere;Calder;Dunmouth;Eastquay;Farrowby;Gullhaven;Hexley;Ingleford;Kettleby;Lowmoor;Marsham;Oxby;Redscar")
TRADES = listed(
    "Bakery;Shipyard;Cannery;Brewery;Print Works;Rope Company;Timber Yard;Ice Works;Dairy;Foundry;Tannery;Glassworks;Boat Hire;Mill;"
    "Coach Company;Fish Market;Tile Works;Net Loft"
)

SLOTS: Dict[str, List[str]] = {
    "goods": listed(
        "flour;oak planks;copper wire;herring nets;salt;lamp oil;paraffin;sacks of barley;window glass;coal;roof tiles;wool;honey;cider;"
        "smoked fish;sailcloth;bricks;hay;apples;candles;two old boats;spare parts;steel cable;fresh milk;grain;paper;ink;furniture;soap"
    ),
    "time": listed(
        "in the spring;last autumn;before the war;after the flood;every winter;for many years;in the final week of May;the previous year;"
        "during the strike;that summer;on Monday;at the end of the season;shortly after the fire"
    ),
    "manner": listed("quickly;quietly;gladly;secretly;reluctantly;soon;eventually;promptly;suddenly;finally;openly;recently"),
    "role": listed(
        "clerk;night porter;welder;bookkeeper;driver;foreman;pattern maker;cook;carpenter;messenger;buyer;cashier;watchman;draughtsman;"
        "sales assistant;dyer"
    ),
    "department": listed("office;warehouse;boiler room;canteen;workshop;accounts department;packing hall;loading bay"),
    "somebody": listed(
        "a farmer;a neighbour;an old sailor;the harbour master;a rich cousin;the priest;a young widow;the mayor;a travelling actor;"
        "a retired teacher;the council;a rival;the ferryman;a shy lodger"
    ),
    "thing": listed("a barn;a cottage;a mule;a bicycle;a small shop;a printing press;an inn;a market stall;a crane;a warehouse"),
    "event": listed(
        "surprised the town;took a whole week;pleased the council;caused much gossip;was reported in the local paper;dragged on until dawn;"
        "made the neighbours angry;ended badly;went smoothly;became a scandal"
    ),
    "aside": listed(
        "died of a fever;broke an ankle;moved into a smaller house;won the raffle;spoke at the fair;kept bees;missed the last ferry;"
        "wrote a long letter to the mayor;refused to comment;planted an orchard"
    ),
}

Clause = Tuple[str, str, str]
"""Label, kind, pattern."""

CLAUSES: Dict[str, List[Clause]] = {
    "train": [
        ("employee_of", "person", "[worked|cooked|slaved] for {F} <time>"),
        ("employee_of", "person", "<manner> joined {F} as a <role>"),
        ("employee_of", "person", "[took|accepted] a [post|position|place] at {F}"),
        ("employee_of", "person", "was [kept on|engaged] by {F} as a <role> <time>"),
        ("employee_of", "person", "earned a [modest|decent] wage at {F}"),
        ("employee_of", "person", "drew a [weekly|monthly] salary from {F}"),
        ("employee_of", "firm", "[employed|hired] {P} as a <role>"),
        ("employee_of", "firm", "put {P} on the [payroll|night shift]"),
        ("employee_of", "firm", "<manner> gave {P} [a job|work] in the <department>"),
        ("employee_of", "whole", "{P} 's [job|shift|apprenticeship] at {F} <event>"),
        ("employee_of", "whole", "the [hiring|recruitment] of {P} by {F} <event>"),
        ("employee_of", "whole", "{P} , the <role> of {F} , <aside>"),
        ("owner_of", "person", "<manner> [bought|purchased] {F} <time>"),
        ("owner_of", "person", "founded {F} [in a shed|with two cousins|on borrowed money]"),
        ("owner_of", "person", "held [most|two thirds] of the shares in {F}"),
        ("owner_of", "person", "took over {F} [at auction|after a long quarrel]"),
        ("owner_of", "person", "inherited {F} from [an uncle|a godmother]"),
        ("owner_of", "firm", "[belonged to|was owned by] {P} <time>"),
        ("owner_of", "firm", "was [started|established] by {P} [in a shed|with two cousins]"),
        ("owner_of", "firm", "passed into the [hands|possession] of {P}"),
        ("owner_of", "firm", "was sold to {P} <time>"),
        ("owner_of", "whole", "{P} 's purchase of {F} <event>"),
        ("owner_of", "whole", "the takeover of {F} by {P} <event>"),
        ("owner_of", "whole", "the [owner|proprietor] of {F} , {P} , <aside>"),
        ("supplier_of", "person", "sold <goods> to {F} <time>"),
        ("supplier_of", "person", "<manner> delivered <goods> to {F}"),
        ("supplier_of", "person", "[supplied|provided] {F} with <goods>"),
        ("supplier_of", "person", "[shipped|sent] {F} <goods> <time>"),
        ("supplier_of", "person", "charged {F} for <goods>"),
        ("supplier_of", "firm", "[bought|purchased] <goods> from {P}"),
        ("supplier_of", "firm", "received <goods> from {P} <time>"),
        ("supplier_of", "firm", "<manner> paid {P} for <goods>"),
        ("supplier_of", "firm", "was supplied with <goods> by {P}"),
        ("supplier_of", "firm", "[ordered|imported] <goods> from {P} <time>"),
        ("supplier_of", "whole", "{P} 's [delivery|shipment] of <goods> to {F} <event>"),
        ("supplier_of", "whole", "the <goods> that {F} bought from {P} [never arrived|burned]"),
        ("customer_of", "person", "[bought|purchased] <goods> from {F}"),
        ("customer_of", "person", "received <goods> from {F} <time>"),
        ("customer_of", "person", "<manner> paid {F} for <goods>"),
        ("customer_of", "person", "was supplied with <goods> by {F}"),
        ("customer_of", "person", "[ordered|rented] <goods> from {F} <time>"),
        ("customer_of", "firm", "sold <goods> to {P} <time>"),
        ("customer_of", "firm", "<manner> delivered <goods> to {P}"),
        ("customer_of", "firm", "[supplied|provided] {P} with <goods>"),
        ("customer_of", "firm", "[shipped|sent] {P} <goods> <time>"),
        ("customer_of", "firm", "charged {P} for <goods>"),
        ("customer_of", "whole", "{F} 's [delivery|shipment] of <goods> to {P} <event>"),
        ("customer_of", "whole", "the <goods> that {P} bought from {F} [never arrived|burned]"),
        ("none", "person", "[refused|declined] to work for {F} <time>"),
        ("none", "person", "[refused|declined] to sell <goods> to {F}"),
        ("none", "person", "failed to [buy|take over] {F} <time>"),
        ("none", "person", "[tried|hoped] in vain to order <goods> from {F}"),
        ("none", "person", "[walked|cycled] past {F} <time>"),
        ("none", "person", "[complained|argued] about the noise from {F}"),
        ("none", "person", "sold <goods> [outside|opposite] {F} <time>"),
        ("none", "person", "praised <somebody> who [sold <goods> to|worked for|bought] {F}"),
        ("none", "firm", "never [employed|hired] {P}"),
        ("none", "firm", "<manner> rejected {P} 's offer of <goods>"),
        ("none", "firm", "refused to [employ {P}|sell <goods> to {P}|buy <goods> from {P}]"),
        ("none", "firm", "<manner> thanked {P} for [a kind letter|the song]"),
        ("none", "whole", "{P} 's [cousin|neighbour] [worked for|owned] {F} <time>"),
        ("none", "whole", "{P} 's [aunt|lodger] [sold <goods> to|bought <goods> from] {F}"),
        ("none", "whole", "the [owner|cook] of {F} met {P} <time>"),
    ],
    "unlabelled": [
        ("none", "person", "managed the <department> of {F} <time>"),
        ("none", "person", "brought <goods> to {F}"),
        ("none", "person", "fetched <goods> from {F} <time>"),
        ("none", "person", "retired from {F} after a long illness"),
        ("none", "person", "owed {F} a large sum for <goods>"),
        ("none", "person", "[sued|blamed] {F} over <goods>"),
        ("none", "person", "[advised|visited] {F} <time>"),
        ("none", "person", "left {F} to <somebody>"),
        ("none", "firm", "dismissed {P} from the <department>"),
        ("none", "firm", "trained {P} as a <role>"),
        ("none", "firm", "lent {P} <thing>"),
        ("none", "firm", "brought <goods> to {P} <time>"),
        ("none", "firm", "took <goods> back from {P}"),
        ("none", "firm", "praised {P} in a newspaper"),
        ("none", "whole", "{P} 's [dispute|talks] with {F} <event>"),
        ("none", "whole", "{F} 's letter to {P} <event>"),
        ("none", "whole", "the <role> of {F} , {P} , <aside>"),
        ("none", "whole", "the price that {P} asked of {F} for <goods> <event>"),
    ],
    "dev": [
        ("employee_of", "person", "was [taken on|recruited] by {F} <time>"),
        ("employee_of", "person", "had a [steady|dull] job in the <department> of {F}"),
        ("employee_of", "firm", "gave a <role> 's post to {P}"),
        ("owner_of", "person", "[set up|opened] {F} <time>"),
        ("owner_of", "firm", "changed hands and went to {P}"),
        ("owner_of", "whole", "the founder of {F} was {P}"),
        ("supplier_of", "person", "sent <goods> to {F} <time>"),
        ("supplier_of", "person", "earned money by selling {F} <goods>"),
        ("supplier_of", "firm", "was sent <goods> by {P}"),
        ("customer_of", "person", "[collected|fetched] <goods> ordered from {F}"),
        ("customer_of", "person", "bought <goods> made by {F}"),
        ("customer_of", "firm", "sent <goods> to {P} <time>"),
        ("none", "person", "[lost|gave up] the chance to buy {F}"),
        ("none", "person", "lived [behind|beside] {F} <time>"),
        ("none", "firm", "chose <somebody> instead of {P} as its <role>"),
        ("none", "whole", "<somebody> told {P} that {F} sold <goods>"),
    ],
    "test": [
        ("employee_of", "person", "[spent|served] [six years|three winters] in the <department> of {F}"),
        ("employee_of", "person", "found [work|employment] at {F} <time>"),
        ("employee_of", "person", "signed a contract of employment with {F}"),
        ("employee_of", "firm", "took {P} on as a <role>"),
        ("employee_of", "firm", "appointed {P} to run the <department>"),
        ("employee_of", "firm", "paid {P} a [weekly wage|monthly salary]"),
        ("employee_of", "whole", "among the people employed by {F} was {P}"),
        ("employee_of", "whole", "{P} , a <role> at {F} , <aside>"),
        ("owner_of", "person", "became the [sole|new] owner of {F} <time>"),
        ("owner_of", "person", "[built up|created] {F} from nothing"),
        ("owner_of", "person", "<manner> [gained|won] control of {F}"),
        ("owner_of", "person", "paid [a fortune|too much] for {F}"),
        ("owner_of", "firm", "was [acquired|purchased] by {P} <time>"),
        ("owner_of", "firm", "was left to {P} in a will"),
        ("owner_of", "whole", "it was {P} who [founded|bought] {F} <time>"),
        ("owner_of", "whole", "{P} 's share in {F} <event>"),
        ("supplier_of", "person", "[furnished|stocked] {F} with <goods>"),
        ("supplier_of", "person", "won a contract to deliver <goods> to {F}"),
        ("supplier_of", "person", "<manner> sold {F} <goods>"),
        ("supplier_of", "firm", "was sold <goods> by {P} <time>"),
        ("supplier_of", "firm", "[got|obtained] <goods> from {P}"),
        ("supplier_of", "firm", "placed an order for <goods> with {P}"),
        ("supplier_of", "whole", "the sale of <goods> by {P} to {F} <event>"),
        ("supplier_of", "whole", "the <goods> sold by {P} reached {F} <time>"),
        ("customer_of", "person", "was sold <goods> by {F} <time>"),
        ("customer_of", "person", "[got|obtained] <goods> from {F}"),
        ("customer_of", "person", "placed an order for <goods> with {F}"),
        ("customer_of", "firm", "[furnished|stocked] {P} with <goods>"),
        ("customer_of", "firm", "won a contract to deliver <goods> to {P}"),
        ("customer_of", "firm", "<manner> sold {P} <goods>"),
        ("customer_of", "whole", "the sale of <goods> by {F} to {P} <event>"),
        ("customer_of", "whole", "the <goods> sold by {F} reached {P} <time>"),
        ("none", "person", "turned down a [post|job] at {F}"),
        ("none", "person", "was [denied|refused] a [post|job] at {F} <time>"),
        ("none", "person", "[withdrew|forgot] an offer for {F}"),
        ("none", "person", "bought <goods> [near|behind] {F} <time>"),
        ("none", "person", "painted the front of {F}"),
        ("none", "person", "watched <somebody> deliver <goods> to {F}"),
        ("none", "firm", "chose not to [hire|employ] {P}"),
        ("none", "firm", "cancelled the sale of <goods> to {P}"),
        ("none", "firm", "quarrelled with {P} about the parking <time>"),
        ("none", "whole", "a friend of {P} [joined|bought] {F} <time>"),
        ("none", "whole", "a friend of {P} [sold <goods> to|ordered <goods> from] {F}"),
        ("none", "whole", "{P} interviewed the man who [founded|bought] {F}"),
    ],
}

FRAMES: Dict[str, Dict[str, List[str]]] = {
    # How clauses become a sentence. {0}, {1}: clauses. {other}: a person who stands in no relation to the clause's firm.
    # {first}, {last}: the clause's entity that comes first or last, named once more. {who}: the subject that two verb phrases
    # {that} and {too} share; {which}: its relative pronoun.
    "train": {
        "one": [
            "{0} .",
            "[After|Before] selling <thing> to <somebody> , {0} .",
            "<somebody> , who had bought <thing> , told {other} that {0} .",
            "Although <somebody> had never hired <somebody> , {0} .",
            "When <somebody> bought <thing> , {0} .",
            "{0} , but {other} did not work there .",
            "According to <somebody> , {0} .",
            "Nobody knew {first} , but {0} .",
            "{0} , because <somebody> had sold <thing> to {last} .",
        ],
        "two": [
            "{0} , while {1} .",
            "Because {0} , {1} .",
        ],
        "shared": [
            "{who} , {which} {that} , {too} .",
            "{who} {that} and later {too} .",
        ],
    },
    "dev": {
        "one": [
            "It is true that {0} .",
            "On the day that {other} sold <thing> , {0} .",
            "{0} , as <somebody> who owned <thing> remembered .",
        ],
        "two": ["{0} , although {1} ."],
        "shared": ["{who} first {that} and then {too} ."],
    },
    "test": {
        "one": [
            "Yesterday {0} .",
            "Without buying <thing> from {other} , {0} .",
            "<somebody> who worked for <somebody> wrote that {0} .",
            "Since <somebody> refused to sell <thing> , {0} .",
            "{0} , a paper which <somebody> owned reported .",
            "{0} , even though <somebody> had hired <somebody> .",
            "In a report on {first} it was said that {0} .",
        ],
        "two": ["{0} , whereas {1} .", "{0} ; at the same time {1} ."],
        "shared": ["Of all people , it was {who} {which} {that} and {too} .", "{who} not only {that} but also {too} ."],
    },
}
