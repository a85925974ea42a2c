"""What can go wrong while the persona is rendered."""


class PersonaError(Exception):
    """Base of the errors of `export.persona`; says what, got, expected and what to do."""


class AssetError(PersonaError):
    """A mesh, target, texture or photo is missing or not what its name promises."""
