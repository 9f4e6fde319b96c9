// The list of chats on the left.

import { byId, h, icon, keepOneTabStop, reconcile } from "./dom.js";
import { hue, initials, phoneText, shortWhen } from "./format.js";
import { numberName, t } from "./i18n.js";
import { plain } from "./markup.js";
import { allChats, fromBot, now, numberOf, optionsOf, rowsOf, statusOf, textOf, unread } from "./state.js";

/** Draw the list. `open(key)` is called when a chat is chosen. */
export function drawChats(state, open) {
  const list = byId("chat-list");
  const chats = allChats(state);
  reconcile(
    list,
    chats.map((chat) => item(state, chat, open)),
  );
  keepOneTabStop(list, "button", (button) => button.getAttribute("aria-current") === "true");
  const waiting = chats.reduce((sum, chat) => sum + unread(state, chat), 0);
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
          h("span", { class: `chat-last${last && statusOf(last) === "failed" ? " failed" : ""}` }, text),
          number && h("span", { class: "chat-number" }, number),
          count > 0 && h("span", { class: "badge", "aria-label": t("unread", { count }) }, String(count)),
        ),
      ),
    );
  return {
    key: chat.key,
    version: JSON.stringify([name, number, when, text, count, current, statusOf(last ?? {})]),
    build,
  };
}

function lastText(row) {
  const icons = {
    image: "photo",
    video: "video",
    audio: "audio",
    voice: "audio",
    document: "document",
    sticker: "sticker",
  };
  const text =
    textOf(row) ||
    (row.media ? t(icons[row.mediaType] ?? "document") : (optionsOf(row)[0]?.label ?? row.template ?? ""));
  return fromBot(row) ? plain(text) : `↩ ${plain(text)}`;
}

/** What a chat is called; groups and channels without a name by the end of their id. */
export function nameOf(chat) {
  if (chat.kind === "contact" || (chat.name && chat.name !== chat.contact))
    return chat.name || phoneText(chat.contact);
  return `${t(chat.kind)} ${chat.contact.split("@")[0].slice(-4)}`;
}

/** A coloured disc with the initials of a chat. */
export function avatar(chat) {
  const disc = h("span", { class: `avatar hue-${hue(chat.contact)}`, "aria-hidden": "true" });
  disc.append(chat.kind === "contact" ? initials(chat.name) : icon("group"));
  return disc;
}
