"""Registries: a name in a config -> the component that a package offers under it.

Every interface carries one registry (`Augmenter.registry`), fed in two ways:

* an installed package, the core included, names its components in its entry points (group `relcon_augmenters`), once;
* a file given with `--code` decorates them: `@Augmenter.register("mine.Shuffle.v1")`.

Listing names imports no plugin, so that a broken one never hides the others. A name that two packages offer is refused.
"""

import importlib.metadata
import sys
from functools import lru_cache
from typing import Any, Callable, ClassVar, Dict, List, NamedTuple, Optional, Tuple, Type, TypeVar

import catalogue

from relcon.errors import RelconError, did_you_mean

INTERFACES: Dict[str, Type["Registrable"]] = {}
"""Registry name (`augmenters`) -> the interface whose components it holds (`Augmenter`)."""

Component = TypeVar("Component", bound=Callable[..., Any])


class Offer(NamedTuple):
    """One package's (or `--code` file's) component under one name."""

    name: str
    package: str
    version: str
    target: str
    load: Callable[[], Any]


@lru_cache(maxsize=8)
def _entry_points(search: Tuple[str, ...]) -> Any:
    """All entry points of the packages on this search path (to `select` from); reading them is slow, so once per path."""
    return importlib.metadata.entry_points()


@lru_cache(maxsize=128)
def _installed(search: Tuple[str, ...], group: str) -> Tuple["Offer", ...]:
    """What the packages on this search path offer in a group; each name and version is parsed from a file, so once per path."""
    return tuple(
        Offer(point.name, point.dist.name if point.dist else "?", point.dist.version if point.dist else "?", point.value, point.load)
        for point in _entry_points(search).select(group=group)
    )


def _local_offer(name: str, component: Any) -> "Offer":
    """A component that a `--code` file registered."""
    return Offer(name, "--code", "", f"{component.__module__}:{component.__qualname__}", lambda: component)


class Registry:
    """The components of one interface, by versioned name (`package.Thing.v1`).

    kind: the registry's name; a config writes `@kind = "package.Thing.v1"`, a package's entry points stand in the group
        `relcon_kind`.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self.local = catalogue.create("relcon", kind)

    @property
    def group(self) -> str:
        """The entry-point group that packages write in their setup: `relcon_augmenters`."""
        return f"relcon_{self.kind}"

    def offers(self) -> List[Offer]:
        """Everything that is on offer, sorted by name; nothing is imported."""
        found = [*_installed(tuple(sys.path), self.group)]
        found += [_local_offer(name, component) for name, component in self.local.get_all().items()]
        return sorted(found, key=lambda offer: offer[:4])

    def names(self) -> List[str]:
        """All names on offer, without importing any of them."""
        return sorted({offer.name for offer in self.offers()})

    def register(self, name: str) -> Callable[[Component], Component]:
        """Decorator for `--code` files; a name that is already on offer is refused."""

        def add(component: Component) -> Component:
            if name in self.names():
                raise RelconError(f"'{name}' is already registered in '@{self.kind}'. Give your component a name of its own.")
            self.local.register(name, func=component)
            return component

        return add

    def get(self, name: str) -> Any:
        """The component under this name.

        Raises RelconError where nobody offers it (with the nearest name, the registry that has it, or the package that is missing), where
        two packages do, or where importing it fails (with the package's name and its reason).
        """
        offers = [offer for offer in self.offers() if offer.name == name]
        if not offers:
            elsewhere = [f"@{kind}" for kind, interface in INTERFACES.items() if name in interface.registry.names()]
            near = did_you_mean(name, self.names()) or f" relcon components --kind {self.kind} lists them."
            hint = f": it is a component of {' and '.join(elsewhere)}." if elsewhere else f".{near}{missing_package(name)}"
            raise RelconError(f"'{name}' is not registered in '@{self.kind}'{hint}")
        packages = sorted({f"{offer.package} ({offer.target})" for offer in offers})
        if len(packages) > 1:
            raise RelconError(f"'{name}' in '@{self.kind}' is offered by {' and '.join(packages)}. Uninstall one of them.")
        return self.load(offers[0])

    def load(self, offer: Offer) -> Any:
        """The component of one offer. RelconError with the package's name and its reason where importing it fails."""
        origin = f"'{offer.name}' in '@{self.kind}' could not be loaded from package {offer.package} ({offer.target})"
        try:
            component = offer.load()
        except (Exception, SystemExit) as error:  # a stranger's module may raise anything while it is imported, or end it all
            raise RelconError(f"{origin}: {type(error).__name__}: {error}") from error
        if not callable(component):
            raise RelconError(f"{origin}: it names a {type(component).__name__}, not a class or function.")
        return component


class Registrable:
    """Base of every interface: `class Augmenter(Registrable, ABC, kind="augmenters")` gives it a registry of that name."""

    registry: ClassVar[Registry]

    def __init_subclass__(cls, kind: Optional[str] = None, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if kind is not None:
            cls.registry = Registry(kind)
            INTERFACES[kind] = cls

    @classmethod
    def register(cls, name: str) -> Callable[[Component], Component]:
        """Register a component of this interface from a `--code` file: `@Augmenter.register("mine.Shuffle.v1")`."""
        return cls.registry.register(name)


def missing_package(name: str) -> str:
    """The end of a message where nobody offers any component of the package that a name begins with; '' where somebody does."""
    package = name.partition(".")[0]
    if any(each.startswith(f"{package}.") for interface in INTERFACES.values() for each in interface.registry.names()):
        return ""
    return f" No installed package offers names that begin with '{package}.': install relcon-{package}, or give its file with --code."


def registry_of(kind: str) -> Registry:
    """The registry that a config writes as `@kind`; RelconError with the nearest name where there is none."""
    if kind not in INTERFACES:
        raise RelconError(f"there is no registry '@{kind}'.{did_you_mean(kind, INTERFACES)}")
    return INTERFACES[kind].registry


def interface_of(annotation: Any) -> Optional[Tuple[str, type]]:
    """The registry and interface that an annotation names, or None where it names none."""
    for kind, interface in INTERFACES.items():
        if isinstance(annotation, type) and issubclass(annotation, interface):
            return kind, interface
    return None
