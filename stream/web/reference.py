"""The interface's description as a page without scripts, made from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; color: #1c2024; background: #fff }
h2 { font-size: 1.05rem; margin: 2rem 0 .3rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
table { border-collapse: collapse }
td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top }
@media (prefers-color-scheme: dark) {
  body { color: #e6e8ea; background: #16181b } a { color: #8ab4f8 }
}
"""

_INTRODUCTION = """<p>All but <code>/health</code> need the token: the cookie of the panel's page,
or <code>Authorization: Bearer TOKEN</code>. Machine-readable:
<a href="/openapi.json">openapi.json</a>. Errors are <code>{"error": "one line"}</code>.</p>
<h2><code>WS /ws/view?original=0|1</code></h2><p>Binary messages: u32 sequence number, u32 flags
(1: with original, 2: held), f64 capture time in ms on the server's monotonic clock, u32 bytes of
the swapped and u32 of the original JPEG, all little endian; then both. Answer each with the text
<code>ack</code>: no more than two are under way. <code>{"ping": t}</code> is answered by
<code>{"pong": t, "now": ms}</code>.</p>
<h2><code>WS /ws/camera</code></h2><p>Binary messages to the server: f64 capture time in ms on any
monotonic clock, then a JPEG. Each is answered by <code>ack</code>; send no more than two without.
Close code 4001: another browser is the camera now.</p>"""


def page(document: Mapping[str, Any]) -> str:
    """HTML for people.

    Args:
        document: OpenAPI 3.1.
    """
    title = escape(document["info"]["title"])
    head = (
        f'<meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="/docs.css">'
    )
    body = f"<h1>{title}</h1>{_INTRODUCTION}{''.join(_operations(document))}"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
            yield f"<p>{escape(operation.get('summary', ''))}</p>"
            rows = [
                (parameter["name"], _kind(parameter["schema"], document))
                for parameter in operation.get("parameters", [])
            ]
            body = operation.get("requestBody")
            if body is not None:
                schema = _resolved(body["content"]["application/json"]["schema"], document)
                properties = schema.get("properties", {}).items()
                rows += [(name, _kind(kind, document)) for name, kind in properties]
            if rows:
                yield "<table>"
                for name, kind in rows:
                    yield f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}</tr>"
                yield "</table>"


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _kind(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    schema = _resolved(schema, document)
    choices = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return " or ".join(_one_kind(one) for one in choices)


def _one_kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "anything"))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        kind += f", {low:g} to {high:g}"
    if "maxLength" in schema:
        kind += f", at most {schema['maxLength']} characters"
    return kind
