"""`relcon components`: what can be named in a config."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Optional, Tuple

import typer

if TYPE_CHECKING:
    from relcon.registry import Offer, Registry


def components_cli(
    name: Optional[str] = typer.Argument(None, help="A registered name, or a part of one: shows its arguments and a config block."),
    kind: Optional[str] = typer.Option(None, "--kind", help="Only this registry: augmenters, samplers, objectives, ..."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
    markdown: Optional[Path] = typer.Option(None, "--markdown", help="A folder: write the reference, a page for each registry."),
) -> None:
    """List every component that a config can name, or show one with its arguments, defaults and a config block to paste.

    \b
    relcon components --kind augmenters
    relcon components relcon.NTXent.v1

    What failed to load is listed at the end with its package and the reason.

    Next: relcon check CONFIG
    """
    from relcon.config import import_code

    import_code(code)
    if markdown is not None:
        _write_reference(markdown, name, kind)
        return
    offers = _offers(kind)
    if name is None:
        _list(offers)
        typer.echo("Next: relcon components NAME")
    else:
        _show(*_choose(name, offers))
        typer.echo("Next: put the block into a config, then relcon check CONFIG")


def _write_reference(folder: Path, name: Optional[str], kind: Optional[str]) -> None:
    """The pages of all components."""
    from relcon.errors import RelconError
    from relcon.reference import write_reference

    if name is not None or kind is not None:
        raise RelconError("--markdown writes the pages of all components. Leave out the name and --kind.")
    files = write_reference(folder)
    typer.echo(f"{len(files)} pages lie in {folder}.")
    typer.echo(f"Next: read {folder / 'README.md'}")


def _offers(kind: Optional[str]) -> "List[Tuple[Registry, Offer]]":
    """Everything on offer, of one registry or of all."""
    import relcon.interfaces  # noqa: F401  (defines the registries)
    from relcon.registry import INTERFACES, registry_of

    registries = [registry_of(kind.lstrip("@"))] if kind else [interface.registry for interface in INTERFACES.values()]
    return [(registry, offer) for registry in registries for offer in registry.offers()]


def _list(offers: "List[Tuple[Registry, Offer]]") -> None:
    """Two lines per component under its registry; then what could not be loaded."""
    from relcon.errors import RelconError

    failures: List[str] = []
    heading = ""
    for registry, offer in offers:
        if registry.kind != heading:
            heading = registry.kind
            typer.echo(f"@{heading}")
        try:
            component = registry.get(offer.name)
        except RelconError as error:
            failures.append(str(error))
            typer.echo(f"  {offer.name:<34} {_package(offer)}  (not loaded, see below)")
            continue
        typer.echo(f"  {offer.name:<34} {_package(offer)}  {_file(component)}")
        typer.echo(f"      {_first_line(component)}")
    if failures:
        typer.echo("\nNot loaded:")
    for failure in dict.fromkeys(failures):
        typer.echo(f"  {failure}")
    typer.echo("")


def _choose(name: str, offers: "List[Tuple[Registry, Offer]]") -> "Tuple[Registry, Offer]":
    """The offer of this name, or the only one that holds it (`NTXent`); RelconError with the nearest name."""
    from relcon.errors import RelconError, did_you_mean

    exact = [each for each in offers if each[1].name == name]
    alike = exact or [each for each in offers if name.lower() in each[1].name.lower()]
    if not alike:
        raise RelconError(f"there is no component '{name}'.{did_you_mean(name, _short_names(offers))} relcon components lists all.")
    if len(alike) > 1 and not exact:
        found = ", ".join(sorted({offer.name for _, offer in alike}))
        raise RelconError(f"'{name}' could be any of {found}.")
    return alike[0]


def _short_names(offers: "List[Tuple[Registry, Offer]]") -> List[str]:
    """Full names, and the middle part of each, for whoever mistypes `NTXent`."""
    names = [offer.name for _, offer in offers]
    return [*names, *(name.split(".")[1] for name in names if name.count(".") == 2)]


def _show(registry: "Registry", offer: "Offer") -> None:
    """One component: where it is, what it does, its arguments, a block to paste."""
    from relcon.components import REQUIRED, arguments, docstring_block, explanation
    from relcon.config.types import expected, shown

    component = registry.get(offer.name)
    typer.echo(f"{offer.name}  @{registry.kind}  {_package(offer)}  {_file(component)}\n")
    typer.echo(f"{explanation(component)}\n")
    known = arguments(component)
    typer.echo("Arguments:" if known else "It takes no arguments.")
    for argument in known.values():
        default = "required" if argument.default is REQUIRED else f"default {shown(argument.default)}"
        typer.echo(f"  {argument.name:<16} {expected(argument.annotation)}; {default}")
    typer.echo(f"\nConfig:\n\n{docstring_block(component) or _block(registry, offer, known)}")


def _block(registry: "Registry", offer: "Offer", known: Any) -> str:
    """A block made from the signature, for a component whose docstring has none."""
    from relcon.components import REQUIRED
    from relcon.config.types import shown

    values = [f"{each.name} = {'null' if each.default is REQUIRED else shown(each.default)}" for each in known.values()]
    return "\n".join([f"[{registry.kind}.name]", f'@{registry.kind} = "{offer.name}"', *values]) + "\n"


def _package(offer: "Offer") -> str:
    return f"{offer.package} {offer.version}".strip()


def _file(component: Any) -> str:
    """The component's file and line, from the working directory where it lies below it."""
    import inspect

    try:
        path, line = Path(inspect.getsourcefile(component) or "?"), inspect.getsourcelines(component)[1]
    except (OSError, TypeError):  # built in C, or its source is gone
        return component.__module__
    inside = path.is_relative_to(Path.cwd())
    return f"{path.relative_to(Path.cwd()) if inside else path}:{line}"


def _first_line(component: Any) -> str:
    import inspect

    return (inspect.getdoc(component) or "(no docstring)").splitlines()[0]
