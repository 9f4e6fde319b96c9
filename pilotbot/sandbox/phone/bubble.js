// One message as a bubble.

import { carousel, contactCards, locationCard } from "./cards.js";
import { mediaKind, shortText } from "./chats.js";
import { h, icon } from "./dom.js";
import { phoneText, timeOf, whenOf } from "./format.js";
import { has, t } from "./i18n.js";
import { formatted, isEmoji } from "./markup.js";
import { media } from "./media.js";
import { optionsUnder } from "./options.js";
import { fromBot, statusOf, textOf, writerOf } from "./state.js";

/**
 * Draw a message.
 * @param {object} row the message
 * @param {object} about what the rest of the chat says of it
 * @param {?object} about.quoted the message it answers
 * @param {number} about.quotedColour the colour of who wrote that
 * @param {boolean} about.taken whether a bot has it
 * @param {Set<string>} about.tapped the labels that were tapped
 * @param {?{name: string, colour: number}} about.author who wrote it, in a group
 * @param {boolean} about.first whether it begins a series of one side: it has the tail
 * @param {boolean} about.selected whether its details are shown
 * @param {boolean} about.found whether it was looked for a moment ago
 * @param {?string} about.scheduled when it goes out, as an ISO time, while that is to come
 * @param {Array<{person, name, emoji}>} about.reactions
 * @param {?string} about.me who would react now
 * @param {object} acts
 */
export function bubble(row, about, acts) {
  const status = row.direction === "out" ? statusOf(row) : inboundStatus(row, about);
  const looks = [
    fromBot(row) ? "out" : "in",
    about.first && "first",
    ["failed", "canceled"].includes(status) && row.direction === "out" && status,
    about.scheduled && "scheduled",
    about.selected && "selected",
    about.found && "found",
    row.media && mediaKind(row) === "sticker" && "bare",
    row.cards && "wide",
    about.reactions.length && "reacted",
  ];
  return h(
    "article",
    {
      class: `bubble ${looks.filter(Boolean).join(" ")}`,
      tabindex: "-1",
      "aria-label": `${whoWrote(row, about)}, ${timeOf(row.createdAt)}`,
      data: { testid: "bubble", direction: row.direction, mode: row.mode, status, id: row.id },
    },
    h("div", { class: "sheet" }, content(row, about, acts), meta(row, status), status === "failed" && failure(row)),
    optionsUnder(row, about.tapped, acts),
    row.cards && carousel(row, about.tapped, acts),
    about.reactions.length > 0 && reactions(row, about, acts),
    tools(row, status, about, acts),
  );
}

/** How far a contact's message came: on its way, with the bot, or marked read by the number. */
const inboundStatus = (row, { taken }) => (statusOf(row) === "read" ? "read" : taken ? "delivered" : "sent");

const whoWrote = (row, about) =>
  fromBot(row) ? t("bot") : (about.author?.name ?? row.contactName ?? phoneText(writerOf(row)));

function content(row, about, acts) {
  const words = textOf(row);
  return [
    about.author && about.first && h("p", { class: `author-name name-${about.author.colour}` }, about.author.name),
    row.mode === "template" &&
      h("p", { class: "tag" }, icon("template"), `${t("template")}${row.template ? ` · ${templateName(row)}` : ""}`),
    about.quoted && quotedBlock(about.quoted, about.quotedColour, acts.find),
    header(row),
    row.location && locationCard(row.location),
    row.contacts && contactCards(row.contacts, (contact) => acts.begin({ ...contact, number: row.number })),
    row.media &&
      media(row.media, mediaKind(row), {
        id: row.id,
        caption: words,
        filename: row.filename,
        mimeType: row.mediaType,
        // What a bot sends as audio arrives as a voice message (contract 3.3).
        voice: fromBot(row) || row.mediaType === "voice" || /^audio\/ogg/.test(row.mediaType),
      }),
    row.reaction && h("p", { class: "words noted" }, shortText(row)), // to a message that is not here any more
    words &&
      !row.location &&
      !row.contacts &&
      !row.reaction &&
      h("div", { class: `words${isEmoji(words) && !row.media ? " big" : ""}` }, formatted(words)),
    row.footer && h("p", { class: "footer" }, partText(row.footer)),
    about.scheduled &&
      h("p", { class: "sheet-note" }, icon("clock"), t("scheduled", { when: whenOf(about.scheduled) })),
    statusOf(row) === "canceled" && h("p", { class: "sheet-note" }, icon("close"), t("canceledNote")),
  ];
}

const modeText = (mode) => (has(`mode_${mode}`) ? t(`mode_${mode}`) : mode);
const partText = (part) => (typeof part === "string" ? part : String(part?.text ?? part?.content ?? ""));
const templateName = (row) =>
  typeof row.template === "string" ? row.template : (row.template?.name ?? row.template?.id ?? "");

function header(row) {
  if (!row.header) return null;
  const kind = String(row.header.type ?? "text").toLowerCase();
  const inside =
    typeof row.header === "string" ? row.header : (row.header.content ?? row.header.text ?? row.header.url ?? "");
  if (kind === "none" || !inside) return null;
  if (["image", "video", "document"].includes(kind))
    return inside === row.media ? null : media(inside, kind, { id: `${row.id} header`, filename: row.header.filename });
  return h("p", { class: "header" }, String(inside));
}

/** A short look at the message that another one answers; `find(row)`, where it is given, leads to it. */
export function quotedBlock(row, colour, find) {
  const who = fromBot(row) ? t("bot") : row.authorName || row.contactName || phoneText(writerOf(row));
  const inside = [
    h("span", { class: `quoted-who${fromBot(row) ? "" : ` name-${colour}`}` }, who),
    h("span", { class: "quoted-text" }, shortText(row)),
  ];
  const look = `quoted ${fromBot(row) ? "out" : "in"}`;
  if (!find) return h("blockquote", { class: look }, inside);
  return h(
    "button",
    { type: "button", class: look, title: t("toQuoted"), data: { testid: "quoted" }, on: { click: () => find(row) } },
    inside,
  );
}

const IN = { sent: "in_waiting", delivered: "in_taken", read: "in_read" };

function meta(row, status) {
  const label = row.direction === "out" ? t(`st_${status}`) : t(IN[status]);
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

/** The reactions under a bubble; a press on one's own takes it back. */
function reactions(row, about, acts) {
  const mine = about.reactions.find(({ person }) => person === about.me);
  const list = about.reactions.map(({ name, emoji }) => `${emoji} ${phoneText(name)}`).join(", ");
  const shown = [...new Set(about.reactions.map(({ emoji }) => emoji))].join(" ");
  const inside = [shown, about.reactions.length > 1 && h("span", { class: "reaction-count" }, about.reactions.length)];
  const label = `${t("reactions", { list })}${mine ? `. ${t("reactionTakeBack", { emoji: mine.emoji })}` : ""}`;
  const props = { class: "reactions", "aria-label": label, title: label, data: { testid: "reactions" } };
  if (!mine) return h("p", { ...props, role: "img" }, inside);
  return h("button", { ...props, type: "button", on: { click: () => acts.react(row, mine.emoji) } }, inside);
}

/** What can be done with a message: react, reply, look closer. */
function tools(row, status, about, acts) {
  const tool = (testid, label, name, act, more = {}) =>
    h(
      "button",
      {
        type: "button",
        class: "tool",
        tabindex: "-1", // until the bubble has the focus: see chat.js
        "aria-label": label,
        title: label,
        data: { testid },
        on: { click: act },
        ...more,
      },
      icon(name),
    );
  const reached = row.messageId && !["failed", "queued", "canceled"].includes(status);
  return h(
    "div",
    { class: "tools-of", role: "group", "aria-label": t("messageActs") },
    fromBot(row) &&
      reached &&
      tool("react", t("react"), "emoji", ({ currentTarget }) => acts.pickReaction(currentTarget, row, about), {
        "aria-haspopup": "dialog",
      }),
    row.messageId && status !== "failed" && tool("quote", t("quote"), "quote", () => acts.quote(row)),
    tool("details", t("details"), "details", () => acts.details(row), { "aria-pressed": String(about.selected) }),
  );
}

/** What a bubble says of itself beyond its row: when this changes, it is drawn anew. */
export const aboutVersion = (row, about) =>
  JSON.stringify([row, about, about.quoted?.id, [...about.tapped], document.documentElement.lang]);
