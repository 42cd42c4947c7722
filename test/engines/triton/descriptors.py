"""Compares a .proto, given as a serialised FileDescriptorProto in base64, with the one inside NVIDIA's client.

Prints how many fields and calls were compared, and every one that is not the same there.
"""
import base64
import json
import sys

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from tritonclient.grpc import model_config_pb2, service_pb2


def fields(messages, path):
    for message in messages:
        name = f"{path}.{message.name.removesuffix('Entry')}"
        for field in message.field:
            yield f"{name}.{field.name}", (field.number, field.type, field.label, field.type_name)
        yield from fields(message.nested_type, name)


def everything(file):
    yield from fields(file.message_type, file.package)
    for service in file.service:
        for call in service.method:
            streams = (call.client_streaming, call.server_streaming)
            yield f"{service.name}.{call.name}", (call.input_type, call.output_type, *streams)


def theirs():
    found = {}
    for module in (service_pb2, model_config_pb2):
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        found.update(everything(file))
    return found


def comparable(item):
    """Names of types may be relative in one file and absolute in the other."""
    return tuple(one.rsplit(".", 1)[-1].removesuffix("Entry") if isinstance(one, str) else one for one in item)


file = FileDescriptorProto.FromString(base64.b64decode(sys.argv[1]))
known = theirs()
ours = dict(everything(file))
differences = [
    {"name": name, "ours": item, "theirs": known.get(name)}
    for name, item in ours.items()
    if comparable(item) != comparable(known.get(name, ()))
]
print(json.dumps({"compared": len(ours), "differences": differences}))
