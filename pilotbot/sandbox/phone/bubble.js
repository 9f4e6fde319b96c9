// One message as a bubble.

import { h, icon } from "./dom.js";
import { phoneText, timeOf } from "./format.js";
import { has, t } from "./i18n.js";
import { formatted, plain } from "./markup.js";
import { media } from "./media.js";
import { fromBot, optionsOf, statusOf, textOf } from "./state.js";

/**
 * Draw a message.
 * @param {object} row the message
 * @param {{quoted: ?object, taken: boolean, tapped: Set<string>, group: boolean}} about what the rest of the chat says of
 *   it: the message it answers, whether a bot has it, the labels that were tapped, whether this is a group
 * @param {{tap: (row, label) => void, quote: (row) => void, copy: (text) => void}} acts
 */
export function bubble(row, about, acts) {
  const status = row.direction === "out" ? statusOf(row) : about.taken ? "delivered" : "sent";
  const options = optionsOf(row);
  const failed = row.direction === "out" && status === "failed";
  return h(
    "article",
    {
      class: `bubble ${fromBot(row) ? "out" : "in"}${failed ? " failed" : ""}`,
      data: { testid: "bubble", direction: row.direction, mode: row.mode, status, id: row.id },
    },
    h(
      "div",
      { class: "sheet" },
      about.group &&
        row.direction === "in" &&
        h("p", { class: "author-name" }, row.authorName || phoneText(row.author)),
      row.mode === "template" &&
        h(
          "p",
          { class: "tag" },
          icon("template"),
          `${t("template")}${row.template ? ` · ${nameOfTemplate(row)}` : ""}`,
        ),
      about.quoted && quotedBlock(about.quoted),
      header(row),
      row.media && media(row.media, row.mediaType, textOf(row), row.filename),
      textOf(row) && h("div", { class: "words" }, formatted(textOf(row))),
      row.footer && h("p", { class: "footer" }, partText(row.footer)),
      meta(row, status),
      failed && failure(row),
    ),
    options.length > 0 &&
      h(
        "div",
        {
          class: `options${row.mode === "list" || options.length > 3 ? " rows" : ""}`,
          role: "group",
          "aria-label": t("options"),
        },
        options.map((option) => optionButton(row, option, about.tapped, acts)),
      ),
    row.messageId &&
      !failed &&
      h(
        "button",
        {
          type: "button",
          class: "tool quote",
          "aria-label": t("quote"),
          title: t("quote"),
          data: { testid: "quote" },
          on: { click: () => acts.quote(row) },
        },
        icon("quote"),
      ),
  );
}

const modeText = (mode) => (has(`mode_${mode}`) ? t(`mode_${mode}`) : mode);
const partText = (part) => (typeof part === "string" ? part : String(part?.text ?? part?.content ?? ""));
const nameOfTemplate = (row) =>
  typeof row.template === "string" ? row.template : (row.template?.name ?? row.template?.id ?? "");

function header(row) {
  if (!row.header) return null;
  const kind = String(row.header.type ?? "text").toLowerCase();
  const content =
    typeof row.header === "string" ? row.header : (row.header.content ?? row.header.text ?? row.header.url ?? "");
  if (kind === "none" || !content) return null;
  if (["image", "video", "document"].includes(kind)) return content === row.media ? null : media(content, kind, "");
  return h("p", { class: "header" }, String(content));
}

/** A short look at the message that another one answers. */
export function quotedBlock(row) {
  return h(
    "blockquote",
    { class: `quoted ${fromBot(row) ? "out" : "in"}` },
    h(
      "span",
      { class: "quoted-who" },
      fromBot(row) ? t("bot") : row.authorName || row.contactName || phoneText(row.author ?? row.contact),
    ),
    h(
      "span",
      { class: "quoted-text" },
      plain(textOf(row)) ||
        (row.media ? t(row.mediaType === "image" ? "photo" : "document") : (optionsOf(row)[0]?.label ?? "")),
    ),
  );
}

function meta(row, status) {
  const label = row.direction === "out" ? t(`st_${status}`) : t(status === "delivered" ? "in_taken" : "in_waiting");
  const name = { queued: "clock", sent: "sent", failed: "failed", canceled: "close" }[status] ?? "double";
  return h(
    "p",
    { class: "meta" },
    row.direction === "out" && row.mode && h("span", { class: "mode" }, modeText(row.mode)),
    h("time", { datetime: row.createdAt, title: new Date(row.createdAt).toLocaleString() }, timeOf(row.createdAt)),
    h("span", { class: `ticks ${status}`, role: "img", "aria-label": label, title: label }, icon(name)),
  );
}

function failure(row) {
  const code = row.errorCode ?? "";
  return h(
    "div",
    { class: "failure" },
    h("p", {}, h("strong", {}, t("st_failed")), code && h("code", {}, code)),
    h("p", {}, has(`e_${code}`) ? t(`e_${code}`) : (row.errorMessage ?? "")),
  );
}

function optionButton(row, option, tapped, acts) {
  const props = {
    class: `option ${option.kind}${tapped.has(option.label) ? " tapped" : ""}`,
    data: { testid: "option", kind: option.kind },
  };
  const signs = { reply: "reply", url: "link", call: "call", copy: "copy" };
  const content = [
    row.mode !== "list" && icon(signs[option.kind]),
    h(
      "span",
      { class: "option-text" },
      h("span", { class: "option-label" }, option.label),
      option.detail && h("span", { class: "option-detail" }, option.detail),
    ),
    tapped.has(option.label) &&
      h("span", { class: "option-tapped" }, icon("sent"), h("span", { class: "spoken" }, t("tapped"))),
  ];
  if (option.kind === "url" && /^https?:\/\//i.test(option.value)) {
    return h("a", { ...props, href: option.value, target: "_blank", rel: "noopener noreferrer" }, content);
  }
  const act = option.kind === "reply" ? () => acts.tap(row, option.label) : () => acts.copy(option.value);
  return h(
    "button",
    { ...props, type: "button", title: option.kind === "reply" ? false : option.value, on: { click: act } },
    content,
  );
}
