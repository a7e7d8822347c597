"""A whole distantly supervised corpus: a folder that is built part by part, by any number of processes, and goes on after a kill."""

import importlib.metadata
import logging
import platform
import shutil
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

from tqdm import tqdm

from relcon import __version__
from relcon.data.columns import NotStorable
from relcon.data.reading import document_batches
from relcon.data.store import OFF, DocumentStore, describe_component, document_key, fingerprint_of_path, hashed
from relcon.data.stored import StoredDocuments
from relcon.data.workers import Workers
from relcon.distant.parts import (
    Counts,
    Excluded,
    Job,
    build_part,
    counts_file,
    documents_files,
    limit_relations,
    material_of,
    read_counts,
)
from relcon.errors import RelconError
from relcon.files import LEFTOVER, read_object, remove_leftovers, write_json
from relcon.runs import refuse_unwritable

log = logging.getLogger(__name__)

DOCUMENTS, MANIFEST, NAMES, BUILDING = "documents", "manifest.json", "rel_info.json", "building"
"""What lies in the folder: the corpus, a folder of its own so that a reader finds nothing else there, what is said of it, and, until it is
finished, what building needs. The manifest comes last: a folder without one is not finished."""

NAMES_FORM = 'an object of names, {"relation": "name", ...}'
"""What a file of relation names holds, for messages."""

BEGUN = "begun.json"
"""In the folder of what building needs: what the corpus is made of."""


def build_distant(job: Job, output: Path, workers: int = 1, resume: bool = False, overwrite: bool = False) -> Dict[str, Any]:
    """Build the corpus of a job in the folder `output`, and return its manifest.

    Parts that are done stay when the building is cut short; `resume` goes on with them, and the result is the same to the last byte,
    whatever was interrupted and however many workers there were.

    RelconError where the folder holds something else or another corpus, where nothing is to be resumed or with other inputs, and where no
    document is left; what readers and builders raise where their input is wrong. A wrong input leaves the folder as it was.
    """
    _check_folder(output, resume, overwrite)
    _check_job(job)
    origin = _origin(job)
    begun = _begun(output) if resume else None
    if begun is not None:
        _refuse_other(begun, origin, output)
    if begun is not None and (output / MANIFEST).exists():
        shutil.rmtree(output / BUILDING, ignore_errors=True)
        return read_object(output / MANIFEST)
    with closing(Workers(workers)) as processes:
        with _unchanged_where_wrong(output):
            names = _relation_names(job)
            repeated = _read_knowledge(job)
            documents = _documents(job, output / BUILDING, processes)
        if begun is None:
            _begin(output, origin)
        if workers > 1:
            material_of.cache_clear()  # each process has its own
        counts = _build(job, documents, output, processes)
    if job.filters.max_per_relation is not None:
        counts.add(limit_relations(job.filters, output / BUILDING, output / DOCUMENTS))
    return _finish(output, counts, origin, names, repeated)


# ---- before ----------------------------------------------------------------------------------------------------------------


def _check_folder(output: Path, resume: bool, overwrite: bool) -> None:
    """RelconError where the folder is none, is not ours, or holds a corpus that nobody said what to do with."""
    if resume and overwrite:
        raise RelconError("--resume and --overwrite exclude each other: go on with the corpus, or build it anew.")
    if output.exists() and not output.is_dir():
        raise RelconError(f"--output {output} is a file; a folder is needed.")
    refuse_unwritable(output)
    found = [each for each in output.iterdir() if not LEFTOVER.fullmatch(each.name)] if output.is_dir() else []
    foreign = sorted(each.name for each in found if each.name not in (DOCUMENTS, MANIFEST, NAMES, BUILDING))
    if foreign:
        raise RelconError(f"--output {output} holds files that are no such corpus ({', '.join(foreign[:5])}). Choose another folder.")
    if found and not resume and not overwrite:
        ways = "Go on with it (--resume), replace it (--overwrite), or choose another folder."
        raise RelconError(f"--output {output} holds a corpus, or a part of one. {ways}")
    if resume and not found:
        raise RelconError(f"There is nothing to resume in {output}. Leave out --resume to begin.")


def _check_job(job: Job) -> None:
    """RelconError where an input is missing or a number is out of range."""
    if job.part_documents < 1:
        raise RelconError(f"--part-documents {job.part_documents} is below 1.")
    names = [job.relation_names] if job.relation_names else []
    options = {"--text": [job.text], "--exclude": [each.path for each in job.exclude], "--relation-names": names}
    for option, paths in options.items():
        for path in paths:
            if not path.exists():
                raise RelconError(f"{option} {path} does not exist.")
    if not job.exclude:
        log.warning("No evaluation data are excluded: give them with --exclude where the text may speak of their pairs.")


def _origin(job: Job) -> Dict[str, Any]:
    """What the corpus was made of: arguments, the content of every input, versions. The same wherever the files lie."""
    inputs = {"text": job.text, "triples": job.triples, "names": job.names, "relation_names": job.relation_names}
    files = {name: path for name, path in inputs.items() if path is not None}
    components = {"linker": job.builder, "reader": job.reader, "exclude_reader": job.exclude_reader}
    return {
        "arguments": {
            "filters": asdict(job.filters),
            "multi_label": job.multi_label,
            "negative": list(job.negative),
            "part_documents": job.part_documents,
            **{name: None if each is None else _described(each) for name, each in components.items()},
        },
        "inputs": {
            **{name: {"file": path.name, "hash": fingerprint_of_path(path)} for name, path in files.items()},
            "exclude": [_excluded(each) for each in job.exclude],
        },
        "versions": {"relcon": __version__, "python": platform.python_version(), "spacy": importlib.metadata.version("spacy")},
    }


def _excluded(data: Excluded) -> Dict[str, Any]:
    file = {"file": data.path.name, "hash": fingerprint_of_path(data.path)}
    return file if data.reader is None else {**file, "reader": _described(data.reader)}


def _described(component: Any) -> Dict[str, Any]:
    """A component for people, by its class, and for comparison, by a hash of its arguments and code."""
    return {"class": f"{type(component).__module__}.{type(component).__qualname__}", "hash": hashed(describe_component(component))}


def _begun(output: Path) -> Optional[Dict[str, Any]]:
    """What the corpus in the folder is made of; None where it was cut short before anything was known of it."""
    found = [file for file in (output / BUILDING / BEGUN, output / MANIFEST) if file.exists()]
    return read_object(found[0]) if found else None


def _refuse_other(begun: Dict[str, Any], origin: Dict[str, Any], output: Path) -> None:
    """RelconError that says what differs from the corpus that was begun."""
    changed = [f"{name} of {part}" for part in origin for name in origin[part] if begun.get(part, {}).get(name) != origin[part][name]]
    if changed:
        raise RelconError(
            f"{output} was begun with other inputs or arguments ({', '.join(changed)} changed). Give those of before, or --overwrite to "
            "build it anew."
        )


@contextmanager
def _unchanged_where_wrong(output: Path) -> Iterator[None]:
    """A mistake within leaves no folder behind that was not there."""
    there = [folder for folder in (output, output / BUILDING) if folder.exists()]
    try:
        yield
    except RelconError:
        for folder in (output / BUILDING, output):
            if folder.exists() and folder not in there:
                shutil.rmtree(folder)
        raise


def _documents(job: Job, folder: Path, workers: Workers) -> StoredDocuments:
    """The text, read once into a file below the folder, so that a part decodes its own documents whatever the format is."""
    store = DocumentStore(str(folder) if job.reader.cacheable else OFF)
    key = document_key(job.text, job.reader)
    try:
        documents = store.get(key, job.text, lambda: document_batches(job.reader, job.text, None, workers))
    except NotStorable as error:
        raise RelconError(f"{job.text}: the reader makes documents that cannot be stored ({error}).") from error
    if not len(documents):
        raise RelconError(f"{job.text} holds no document.")
    return documents


def _read_knowledge(job: Job) -> int:
    """Read knowledge base and evaluation data, so that what is wrong with them is said before anything is written; how many lines name a
    surface form again."""
    material = material_of(job)
    job.builder.check(material.base)
    return material.names.repeated


def _relation_names(job: Job) -> Optional[Dict[str, str]]:
    """The names of relations; RelconError where the file is no such object."""
    if job.relation_names is None:
        return None
    names = read_object(job.relation_names, NAMES_FORM)
    wrong = next((relation for relation, name in names.items() if not isinstance(name, str)), None)
    if wrong is not None:
        raise RelconError(f"{job.relation_names}: the name of '{wrong}' is no text. Expected {NAMES_FORM}.")
    return names


# ---- building ------------------------------------------------------------------------------------------------------------


def _begin(output: Path, origin: Dict[str, Any]) -> None:
    """Take away what the folder holds of an earlier corpus, and note what this one is made of."""
    remove_leftovers(output)
    parts = [file for folder in (DOCUMENTS, BUILDING) for file in documents_files(output / folder)]
    for file in (output / MANIFEST, output / NAMES, *parts, *(output / BUILDING).glob("counts-*.json")):
        file.unlink(missing_ok=True)
    write_json(output / BUILDING / BEGUN, origin)


def _build(job: Job, documents: StoredDocuments, output: Path, workers: Workers) -> Counts:
    """Build the parts that are not done yet, within what building needs where relations are still to be limited over all of them; the
    counts of all parts."""
    starts = range(0, len(documents), job.part_documents)
    parts = [range(start, min(start + job.part_documents, len(documents))) for start in starts]
    building = output / BUILDING
    folder = output / DOCUMENTS if job.filters.max_per_relation is None else building
    missing = [rows for number, rows in enumerate(parts) if not counts_file(building, number).exists()]
    with tqdm(total=len(documents), desc="building", unit=" documents", disable=None) as progress:
        progress.update(len(documents) - sum(map(len, missing)))
        for rows, _ in zip(missing, workers.map(build_part, (job, documents, folder, building), missing), strict=True):
            progress.update(len(rows))
    return read_counts(counts_file(building, number) for number in range(len(parts)))


def _finish(output: Path, counts: Counts, origin: Dict[str, Any], names: Optional[Dict[str, str]], repeated: int) -> Dict[str, Any]:
    """Names of relations and manifest; what building needed goes. RelconError where no document is left."""
    if not counts.totals.get("documents"):
        shutil.rmtree(output / BUILDING)
        if not any(output.iterdir()):
            output.rmdir()
        causes = "".join(f"\n{number} left out: {cause}" for cause, number in counts.as_json()["rejected"].items())
        raise RelconError(
            f"No document is left, so nothing was written. Compare the ids of the triples with those of the text, and [filters].{causes}"
        )
    if names is not None:
        write_json(output / NAMES, {relation: names[relation] for relation in sorted(counts.relations) if relation in names})
        unnamed = sorted(set(counts.relations) - set(names))
        if unnamed:
            log.warning("%d relations have no name: %s", len(unnamed), ", ".join(unnamed[:10]))
    found = counts.as_json()
    manifest = {**found.pop("totals"), "names_repeated": repeated, **found, **origin}
    write_json(output / MANIFEST, manifest)
    shutil.rmtree(output / BUILDING)
    return manifest
