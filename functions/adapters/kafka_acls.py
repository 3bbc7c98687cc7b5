"""The operators' port to the ACLs of a Kafka cluster, by librdkafka's admin client."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # documented, and not in `__all__`
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from functions.adapters.admin_answers import answer_of
from functions.core.acls import Acl, Operation, ResourceKind
from functions.core.errors import Refused, Unavailable

PRINCIPAL: Final = "User:"
ANY_HOST: Final = "*"
KINDS: Final = {
    ResourceKind.CLUSTER: ResourceType.BROKER,  # librdkafka's name of the cluster
    ResourceKind.TOPIC: ResourceType.TOPIC,
    ResourceKind.GROUP: ResourceType.GROUP,
}
OPERATIONS: Final = {operation: AclOperation[operation.name] for operation in Operation}
KIND_OF: Final = {value: kind for kind, value in KINDS.items()}
OPERATION_OF: Final = {value: operation for operation, value in OPERATIONS.items()}
FILTER: Final[Any] = AclBindingFilter  # the stubs know no None, which matches everything
EVERYTHING: Final = FILTER(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)
PERMANENT_ERRORS: Final = (KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.SECURITY_DISABLED)


@dataclass(frozen=True)
class KafkaAccessControl:
    """See operator_ports.AccessControl. Connects when first called; `timeout` bounds each request, in seconds."""

    connection: Callable[[], Mapping[str, Any]]
    timeout: float = 10.0

    @cached_property
    def _admin(self) -> AdminClient:
        return AdminClient({**self.connection(), "log_level": 0})

    def user(self) -> str:
        """See operator_ports.AccessControl."""
        user = self.connection().get("sasl.username")
        if user is None:
            raise Refused("ACLs are for stages whose TANDEM_KAFKA_AUTH is scram: with iam, policies take their place")
        return str(user)

    def acls(self) -> frozenset[Acl]:
        """See operator_ports.AccessControl. Empty for a user that may not list them: librdkafka drops that error."""
        try:
            found = answer_of(self._admin.describe_acls(EVERYTHING, request_timeout=self.timeout), self.timeout)
        except KafkaException as error:
            raise _described("list", error) from None
        return frozenset(_known(found))

    def create(self, acls: Collection[Acl]) -> None:
        """See operator_ports.AccessControl. One request."""
        if acls:
            self._await("create", self._admin.create_acls([*map(_binding, acls)], request_timeout=self.timeout))

    def delete(self, acls: Collection[Acl]) -> None:
        """See operator_ports.AccessControl. One request."""
        if acls:
            self._await("delete", self._admin.delete_acls([*map(_filter, acls)], request_timeout=self.timeout))

    def _await(self, verb: str, futures: Mapping[Any, Any]) -> None:
        try:
            for future in futures.values():
                answer_of(future, self.timeout)
        except KafkaException as error:
            raise _described(verb, error) from None


def _known(bindings: Collection[Any]) -> Iterator[Acl]:
    """Return those that the port speaks of."""
    for binding in bindings:
        kind, operation = KIND_OF.get(binding.restype), OPERATION_OF.get(binding.operation)
        allows = (binding.permission_type, binding.resource_pattern_type, binding.host) == (
            AclPermissionType.ALLOW,
            ResourcePatternType.LITERAL,
            ANY_HOST,
        )
        if allows and kind and operation and binding.principal.startswith(PRINCIPAL):
            yield Acl(binding.principal.removeprefix(PRINCIPAL), operation, kind, binding.name)


def _fields(acl: Acl) -> tuple[Any, ...]:
    return (
        KINDS[acl.kind],
        acl.name,
        ResourcePatternType.LITERAL,
        f"{PRINCIPAL}{acl.user}",
        ANY_HOST,
        OPERATIONS[acl.operation],
        AclPermissionType.ALLOW,
    )


def _binding(acl: Acl) -> AclBinding:
    return AclBinding(*_fields(acl))


def _filter(acl: Acl) -> AclBindingFilter:
    return AclBindingFilter(*_fields(acl))


def _described(verb: str, error: KafkaException) -> Refused | Unavailable:
    code = error.args[0].code()
    message = f"brokers: cannot {verb} ACLs: {KafkaError(code).str()}"  # their own text is a dump of the request
    return Refused(message) if code in PERMANENT_ERRORS else Unavailable(message)
