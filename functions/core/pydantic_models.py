"""Models of pydantic: rows are validated when they are constructed."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticUserError

from functions.core import exact_json
from functions.core.model_kinds import ModelField, ModelKind


class PydanticModels(ModelKind):
    """See ModelKind."""

    label: ClassVar[str] = "pydantic model"

    def fields(self, model: type[BaseModel]) -> tuple[ModelField, ...]:
        """See ModelKind."""
        return tuple(
            ModelField(name, info.annotation, info.metadata, info.serialization_alias)
            for name, info in model.model_fields.items()
        )

    def unstored(self, model: type[BaseModel]) -> Iterator[tuple[str, str]]:
        """See ModelKind."""
        for name in model.model_computed_fields:
            yield name, "no sink would see a computed_field; make it a field that process sets"

    def problems(self, model: Any) -> Iterator[str]:  # noqa: ANN401 - see ModelKind
        """See ModelKind."""
        try:
            if not TypeAdapter(model).pydantic_complete:
                yield f"expected a pydantic model, got {model!r}"
        except PydanticUserError as error:
            yield f"expected a pydantic model, got {model!r} ({error.message.splitlines()[0]})"

    def json_validator(self, event: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 - see ModelKind
        """JSON bytes -> event, or ValidationError. Bound method, because a wrapper would double the cost."""
        adapter: TypeAdapter[Any] = TypeAdapter(event)
        validator = adapter.validator
        if not exact_json.mentions_decimal(adapter.core_schema):
            return cast("Callable[[bytes], Any]", validator.validate_json)

        def validate(value: bytes) -> Any:  # noqa: ANN401 - an event
            """Let pydantic's JSON mode decide whether the value is valid, then validate it with all its digits."""
            validator.validate_json(value)
            return validator.validate_python(exact_json.loads(value), strict=False)

        return validate

    def plain_validator(self, event: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - see ModelKind
        """Python values -> event, or ValidationError."""
        validator = TypeAdapter(event).validator
        return lambda value: validator.validate_python(value, strict=False)


PYDANTIC: Final = PydanticModels()
