"""Documents in DocRED's JSON form (Yao et al., ACL 2019), with the additions that distant supervision needs."""

import json
from pathlib import Path
from typing import Any, Dict, Sequence

from relcon.data.document import Document, Entity, Mention
from relcon.data.relations import IGNORED, ignored_pairs, relation_instances
from relcon.files import atomic


def docred_record(document: Document) -> Dict[str, Any]:
    """A document as DocRED's JSON has it; word spans count within the sentence.

    Additions: the id of each mention's entity, the uid of each label (that of `relcon.data.relations`, unique where the ids of documents
    are), and `ignored`: pairs [head, tail] that are neither related nor unrelated. All other pairs without a label are unrelated.
    """
    return {
        "title": document.id,
        "sents": [list(document.words[start:end]) for start, end in document.sentences],
        "vertexSet": [[_mention(document, entity, mention) for mention in entity.mentions] for entity in document.entities],
        "labels": [
            {"h": each.head, "t": each.tail, "r": each.label, "evidence": [], "uid": each.uid} for each in relation_instances(document)
        ],
        IGNORED: [list(pair) for pair in sorted(ignored_pairs(document))],
    }


def _mention(document: Document, entity: Entity, mention: Mention) -> Dict[str, Any]:
    sentence = document.sentence_of(mention.start)
    first = document.sentences[sentence][0]
    return {
        "name": document.mention_text(mention),
        "sent_id": sentence,
        "pos": [mention.start - first, mention.end - first],
        "type": entity.type,
        "id": entity.id,
    }


def write_docred(documents: Sequence[Document], path: Path) -> None:
    """Documents as one JSON list, one on each line; the file appears whole or not at all."""
    with atomic(path) as file:
        records = ",\n".join(json.dumps(docred_record(document), ensure_ascii=False) for document in documents)
        file.write(f"[\n{records}\n]\n")
