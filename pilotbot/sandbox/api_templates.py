"""``/v1/templates``: list, look up, create, new version, delete (contract section 6)."""

from __future__ import annotations

import re
from dataclasses import replace

import orjson
from aiohttp import web

from pilotbot.sandbox import rows
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.http import PARTS, number_of, parse, reply
from pilotbot.sandbox.lifecycle import Parts
from pilotbot.sandbox.records import Json, MetaStatus, Number, Template, TemplateVersion
from pilotbot.sandbox.rules import VARIABLE, template_text, template_variables
from pilotbot.sandbox.schemas import TemplateWrite
from pilotbot.sandbox.state import new_id

BUTTON_LIMITS = {"QUICK_REPLY": 10, "URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
HEADER_TYPES = {"NONE", "TEXT", "IMAGE", "VIDEO", "DOCUMENT"}
EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
ADDRESS = re.compile(r"https?://[^/?#{}\s]+(?:[/?#][^{}\s]*(?:\{\{\s*\w{1,64}\s*\}\})?)?")


async def listing(request: web.Request) -> web.Response:
    """``GET /v1/templates``: a bare array, as the official SDK types it."""
    number = number_of(request)
    every = request.app[PARTS].state.templates.values()
    return reply([rows.template(template, number) for template in every if template.number_id == number.id])


async def get(request: web.Request) -> web.Response:
    """``GET /v1/templates/{id or name}``."""
    number = number_of(request)
    return reply(rows.template(_find(request, number), number))


async def create(request: web.Request) -> web.Response:
    """``POST /v1/templates``: on a Meta number it waits for approval, on Evolution it is usable at once."""
    number, parts = number_of(request), request.app[PARTS]
    wanted = parse(TemplateWrite, await request.read())
    name = re.sub(r"[^A-Za-z0-9]+", "_", wanted.name).strip("_")
    if not name:
        raise invalid("name must have letters or digits")
    if wanted.category is None:
        raise invalid("category must be MARKETING, UTILITY or OTP")
    if parts.state.template(number.id, name) is not None:
        raise ApiError(409, "A template of this name exists: PUT a new version instead", "TEMPLATE_NAME_TAKEN")
    version = _version(wanted, number, parts)
    template = Template(new_id("tpl_"), number.id, name, wanted.category, wanted.language, (version,))
    parts.state.save_template(template)
    return reply(rows.template(template, number), 201)


async def update(request: web.Request) -> web.Response:
    """``PUT /v1/templates/{id}``: a new version; on a Meta number back to PENDING."""
    number, parts = number_of(request), request.app[PARTS]
    template = _find(request, number)
    wanted = parse(TemplateWrite, await request.read())
    if wanted.category not in {None, template.category}:
        raise invalid("category is fixed for ever")
    changed = replace(template, versions=(*template.versions, _version(wanted, number, parts)))
    parts.state.save_template(changed)
    return reply(rows.template(changed, number))


async def delete(request: web.Request) -> web.Response:
    """``DELETE /v1/templates/{id}``."""
    number = number_of(request)
    request.app[PARTS].state.delete_template(_find(request, number))
    return reply({"ok": True})


def _find(request: web.Request, number: Number) -> Template:
    template = request.app[PARTS].state.template(number.id, request.match_info["id"])
    if template is None:
        raise ApiError(404, "Template not found", "TEMPLATE_NOT_FOUND")
    return template


def _version(wanted: TemplateWrite, number: Number, parts: Parts) -> TemplateVersion:
    components = _components(wanted.body)
    _check_texts(components)
    _check_buttons(components)
    missing = [name for name in template_variables(components) if not str(wanted.examples.get(name, "")).strip()]
    if missing:
        raise ApiError(
            400,
            "Give an example for each variable: " + ", ".join(missing),
            "TEMPLATE_EXAMPLES_REQUIRED",
            details={"missing": missing},
        )
    body = template_text(components, "body").strip()
    ends = [match for match in VARIABLE.finditer(body) if match.start() == 0 or match.end() == len(body)]
    if number.kind == "meta" and ends:
        raise ApiError(400, "Meta refuses a body that begins or ends with a variable", "META_TEMPLATE_SUBMIT_FAILED")
    instant = number.kind != "meta" or parts.settings.template_approval == "instant"
    status: MetaStatus = "APPROVED" if instant else "PENDING"
    return TemplateVersion(components, status, parts.clock.now_ms())


def _components(body: Json | str) -> Json:
    """The body object, from the object itself, the same as a JSON string, or plain text."""
    if isinstance(body, str):
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            value = None
        body = value if isinstance(value, dict) else {"body": {"text": body}}
    if isinstance(body.get("body"), str):
        body = body | {"body": {"text": body["body"]}}
    return body


def _check_texts(components: Json) -> None:
    body, footer, header = (template_text(components, part) for part in ("body", "footer", "header"))
    if not body.strip():
        raise invalid("body.text is missing")
    block = components.get("header")
    kind = block.get("type", "TEXT") if isinstance(block, dict) else "NONE"
    problems = {
        "body.text may have 1024 characters": len(body) > 1024,
        "footer may have 60 characters and no variables": len(footer) > 60 or bool(VARIABLE.search(footer)),
        "header.type must be NONE, TEXT, IMAGE, VIDEO or DOCUMENT": kind not in HEADER_TYPES,
        "header.text may have 60 characters, one line and one variable": (
            len(header) > 60 or "\n" in header or len(VARIABLE.findall(header)) > 1
        ),
        "header.text may have no emoji": bool(EMOJI.search(header)),
    }
    _refuse(problems)


def _check_buttons(components: Json) -> None:
    buttons = components.get("buttons") or []
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise invalid("buttons must be a list of objects")
    kinds = [str(button.get("type")) for button in buttons]
    problems = {"there may be 10 buttons": len(buttons) > 10}
    problems |= {f"buttons: unknown type {kind[:40]}": kind not in BUTTON_LIMITS for kind in kinds}
    problems |= {f"there may be {limit} {kind} button(s)": kinds.count(kind) > limit for kind, limit in BUTTON_LIMITS.items()}
    for button, kind in zip(buttons, kinds, strict=True):
        problems |= _button_problems(button, kind)
    _refuse(problems)


def _button_problems(button: Json, kind: str) -> dict[str, bool]:
    if kind == "URL":
        url = str(button.get("url") or "")
        return {"button.url may have one variable, at its end and not in the domain": not ADDRESS.fullmatch(url)}
    if kind == "PHONE_NUMBER":
        return {"button.phone_number is missing": not str(button.get("phone_number") or "").strip()}
    if kind == "COPY_CODE":
        example = button.get("example")
        code = example[0] if isinstance(example, list) and len(example) == 1 else example
        return {"button.example must be one code of 15 letters and digits at most": not re.fullmatch(r"[A-Za-z0-9]{1,15}", str(code))}
    return {"button.text is missing": kind == "QUICK_REPLY" and not str(button.get("text") or "").strip()}


def _refuse(problems: dict[str, bool]) -> None:
    for text, broken in problems.items():
        if broken:
            raise invalid(text)


ROUTES = (
    web.get("/v1/templates", listing),
    web.post("/v1/templates", create),
    web.get("/v1/templates/{id}", get),
    web.put("/v1/templates/{id}", update),
    web.delete("/v1/templates/{id}", delete),
)
