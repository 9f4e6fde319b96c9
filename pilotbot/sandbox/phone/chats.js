// The list of chats on the left, and how a chat is called and pictured wherever it shows.

import { byId, h, icon, keepOneTabStop, reconcile } from "./dom.js";
import { hue, initials, leftShort, phoneText, shortWhen } from "./format.js";
import { numberName, t } from "./i18n.js";
import { plain } from "./markup.js";
import { foundItems } from "./search.js";
import { allChats, fromBot, now, numberOf, optionsOf, rowsOf, statusOf, textOf, unread, windowOf } from "./state.js";

/** Draw the list. `open(key)` is called when a chat is chosen, `find(row)` when a message that was looked for is. */
export function drawChats(state, open, find) {
  const list = byId("chat-list");
  const field = byId("search");
  field.placeholder = t("search");
  field.setAttribute("aria-label", t("search"));
  const drawn = (chat) => item(state, chat, open);
  reconcile(
    list,
    state.search ? foundItems(state, { chat: drawn, find, nameOf, avatar }) : allChats(state).map(drawn),
  );
  keepOneTabStop(list, "button", (button) => button.getAttribute("aria-current") === "true");
  const waiting = allChats(state).reduce((sum, chat) => sum + unread(state, chat), 0);
  document.title = `${waiting ? `(${waiting}) ` : ""}${t("title")}`;
}

function item(state, chat, open) {
  const last = rowsOf(state, chat.key).at(-1);
  const count = unread(state, chat);
  const current = chat.key === state.open;
  const known = numberOf(state, chat.number);
  const number = state.numbers.length > 1 ? (known ? numberName(known) : chat.number) : "";
  const when = last ? shortWhen(last.createdAt, now(state)) : "";
  const name = nameOf(chat);
  const text = last ? lastText(last) : phoneText(chat.contact);
  const { kind, left } = windowOf(state, chat);
  const leftText = kind === "open" ? leftShort(left) : "";
  const build = () =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "chat",
          "aria-current": current ? "true" : false,
          data: { testid: "chat", contact: chat.contact },
          on: { click: () => open(chat.key) },
        },
        avatar(chat),
        h(
          "span",
          { class: "chat-line" },
          h("span", { class: "chat-name" }, name),
          h("time", { class: "chat-when" }, when),
        ),
        h(
          "span",
          { class: "chat-line" },
          last?.direction === "out" && sign(statusOf(last)),
          h("span", { class: `chat-last${last && statusOf(last) === "failed" ? " failed" : ""}` }, text),
          count > 0 && h("span", { class: "badge", "aria-label": t("unread", { count }) }, String(count)),
        ),
        h(
          "span",
          { class: "chat-line chat-about" },
          number && h("span", { class: "chat-number" }, number),
          chat.blocked && h("span", { class: "chat-blocked" }, icon("block"), t("blocked")),
          windowSign(kind, leftText),
        ),
      ),
    );
  const looks = [chat.colour, chat.blocked, kind, leftText, document.documentElement.lang];
  return {
    key: chat.key,
    version: JSON.stringify([name, number, when, text, count, current, statusOf(last ?? {}), last?.direction, looks]),
    build,
  };
}

/** How the last message of the bot fared, as ticks. */
function sign(status) {
  const name = { queued: "clock", sent: "sent", failed: "failed", canceled: "close" }[status] ?? "double";
  return h("span", { class: `ticks ${status}`, role: "img", "aria-label": t(`st_${status}`) }, icon(name));
}

/** A small sign of the window; chats that have none carry none. */
function windowSign(kind, left) {
  if (kind === "none") return null;
  const label = kind === "open" ? t("windowLeft", { left }) : t("windowShut");
  return h(
    "span",
    { class: "chat-window", role: "img", "aria-label": label, title: label, data: { window: kind } },
    icon(kind === "open" ? "clock" : "lock"),
    left,
  );
}

/** A message in a few words. */
export function shortText(row) {
  if (row.reaction) return row.reaction.emoji ? t("reacted", { emoji: row.reaction.emoji }) : t("reactionGone");
  if (row.location) return `📍 ${row.location.name || t("location")}`;
  if (row.contacts) return `👤 ${row.contacts.map(({ name }) => name).join(", ")}`;
  const text = plain(textOf(row));
  if (!row.media) return text || optionsOf(row)[0]?.label || row.template || "";
  const kind = mediaKind(row);
  const signs = { image: "📷", video: "🎬", audio: "🎤", document: "📄", sticker: "🏷️" };
  const name = kind === "document" && row.filename ? row.filename : t(kind === "image" ? "photo" : kind);
  return `${signs[kind]} ${text || name}`;
}

const KINDS = {
  image: "image",
  sticker: "sticker",
  video: "video",
  audio: "audio",
  voice: "audio",
  document: "document",
};

/** What a message's medium is: image, sticker, video, audio or document. */
export function mediaKind(row) {
  const family = String(row.mediaType ?? "").toLowerCase().split("/")[0];
  return KINDS[row.type] ?? KINDS[family] ?? "document";
}

const lastText = (row) => (fromBot(row) ? shortText(row) : `↩ ${shortText(row)}`);

/** What a chat is called; groups and channels without a name by the end of their id. */
export function nameOf(chat) {
  if (chat.kind === "contact" || (chat.name && chat.name !== chat.contact))
    return chat.name || phoneText(chat.contact);
  return `${t(chat.kind)} ${chat.contact.split("@")[0].slice(-4)}`;
}

/** A coloured disc with the initials of a chat. */
export function avatar(chat) {
  const disc = h("span", { class: `avatar hue-${chat.colour ?? hue(chat.contact)}`, "aria-hidden": "true" });
  disc.append(chat.kind === "group" || chat.kind === "newsletter" ? icon("group") : initials(chat.name));
  return disc;
}
