"""Writes schema.json: the facts of the public OCSF schema about the classes that are sent.

    git clone --branch 1.8.0 https://github.com/ocsf/ocsf-schema (or the commit "v1.8.0 prep")
    python3 tests/ocsf/derive.py ocsf-schema > tests/ocsf/schema.json

Names, types, which attributes are required, and enums are kept; texts are not. Attributes of
profiles are left out: none is applied."""

import json
import pathlib
import sys

CLASSES = {
    "findings": ["compliance_finding", "iam_analysis_finding"],
    "iam": ["account_change", "entity_management", "user_access"],
    "application": ["application_lifecycle"],
}
OBJECTS = [
    "analytic", "application", "auth_factor", "compliance", "finding_info", "location",
    "managed_entity", "metadata", "network_endpoint", "product", "remediation",
    "resource_details", "user",
]

ROOT = pathlib.Path(sys.argv[1])


def read(path):
    return json.loads((ROOT / path).read_text())


DICTIONARY = read("dictionary.json")["attributes"]


def definitions(pattern):
    """By name; a class and an object can have the same one."""
    found = (json.loads(path.read_text()) for path in ROOT.glob(pattern))
    return {definition["name"]: definition for definition in found}


EVENTS = definitions("events/**/*.json")
OF_OBJECTS = definitions("objects/*.json")


def merged(files, name):
    """A class or an object with what it inherits."""
    own = files[name]
    above = merged(files, own["extends"]) if "extends" in own else {}
    attributes = {key: dict(value) for key, value in above.get("attributes", {}).items()}
    for key, value in own["attributes"].items():
        if key == "$include":
            continue
        before = attributes.setdefault(key, {})
        enum = {**before.get("enum", {}), **value.get("enum", {})}
        before.update({k: v for k, v in value.items() if v is not None or k == "profile"})
        if enum:
            before["enum"] = enum
    return {**above, **own, "attributes": attributes,
            "constraints": own.get("constraints", above.get("constraints", {}))}


def facts(files, name):
    definition = merged(files, name)
    attributes = {}
    for key, value in sorted(definition["attributes"].items()):
        if value.get("profile"):
            continue
        known = DICTIONARY[key]
        kind = value.get("type", known.get("type"))
        kind = value.get("object_type", known.get("object_type", kind)) if kind == "object_t" else kind
        enum = {**known.get("enum", {}), **value.get("enum", {})}
        fact = {"type": kind}
        if known.get("is_array"):
            fact["is_array"] = True
        if value.get("requirement") == "required":
            fact["required"] = True
        if enum:
            fact["enum"] = sorted(enum, key=lambda key: (len(key), key))
        attributes[key] = fact
    return {
        "caption": definition["caption"],
        "at_least_one": definition["constraints"].get("at_least_one", []),
        "attributes": attributes,
    }


def main():
    categories = read("categories.json")["attributes"]
    classes = {}
    for category, names in CLASSES.items():
        uid = categories[category]["uid"]
        for name in names:
            number = uid * 1000 + EVENTS[name]["uid"]
            of_class = {"category_uid": uid, "category_name": categories[category]["caption"]}
            of_class |= facts(EVENTS, name)
            # As the schema's own server makes them of the class and its category.
            of_class["attributes"]["class_uid"]["enum"] = [str(number)]
            of_class["attributes"]["category_uid"]["enum"] = [str(uid)]
            classes[str(number)] = of_class
    schema = {
        "version": read("version.json")["version"],
        "classes": classes,
        "objects": {name: facts(OF_OBJECTS, name) for name in OBJECTS},
    }
    # One attribute a line: readable, and small changes stay small.
    print(json.dumps(schema, separators=(",", ":")).replace("},\"", "},\n\""))


main()
