// Looking for chats and messages: without regard to case and accents, from the field above the list of chats.

import { byId, h } from "./dom.js";
import { shortWhen } from "./format.js";
import { t } from "./i18n.js";
import { plain } from "./markup.js";
import { allChats, fromBot, now, textOf } from "./state.js";

const MOST = 50; // messages that are shown
const BEFORE = 24; // characters shown ahead of what was found
const TYPING = "input, textarea, select, [contenteditable]";

/** A text in the form in which it is compared, and for each of its characters where it comes from. */
function folded(text) {
  let plainText = "";
  const from = [];
  [...text].reduce((at, letter) => {
    for (const part of letter.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()) {
      plainText += part;
      for (let unit = 0; unit < part.length; unit += 1) from.push(at);
    }
    return at + letter.length;
  }, 0);
  from.push(text.length);
  return { text: plainText, from };
}

/** Where a text holds what is looked for: [start, end], or null. */
export function hit(text, query) {
  const { text: within, from } = folded(text);
  const wanted = folded(query).text;
  const at = wanted ? within.indexOf(wanted) : -1;
  return at < 0 ? null : [from[at], from[at + wanted.length]];
}

/** A text with what is looked for marked in it, cut so that it is seen. */
export function marked(text, query) {
  const found = hit(text, query);
  if (!found) return [text];
  const [start, end] = found;
  const cut = start > BEFORE ? start - BEFORE : 0;
  return [cut ? "…" : "", text.slice(cut, start), h("mark", {}, text.slice(start, end)), text.slice(end)];
}

/** All that can be read of a message. */
const readable = (row) =>
  [
    textOf(row),
    row.filename,
    row.location?.name,
    row.location?.address,
    ...(row.contacts ?? []).map(({ name }) => name),
  ]
    .filter(Boolean)
    .join(" ");

const readBefore = new WeakMap(); // row -> its words as they are compared: what was said does not change

function says(row, wanted) {
  if (!readBefore.has(row)) readBefore.set(row, folded(readable(row)).text);
  return readBefore.get(row).includes(wanted);
}

/**
 * What is found, as items of the list of chats.
 * @param {object} state
 * @param {{chat: (chat) => object, find: (row) => void, nameOf: (chat) => string, avatar: (chat) => Element}} draw how a
 *   chat is drawn, and what is done about a message that is chosen
 */
export function foundItems(state, { chat: drawn, find, nameOf, avatar }) {
  const query = state.search;
  const chats = allChats(state).filter((chat) => hit(`${nameOf(chat)} ${chat.contact}`, query));
  const wanted = folded(query).text;
  const rows = [...state.rows.values()]
    .filter((row) => state.chats.has(row.key) && says(row, wanted))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  byId("search-count").textContent = t("searchCount", { count: chats.length + rows.length });
  const title = (name) => {
    const words = t(name);
    return { key: name, version: words, build: () => h("li", { class: "found-title" }, words) };
  };
  if (!chats.length && !rows.length) {
    const words = t("searchNothing", { query });
    return [{ key: "nothing", version: words, build: () => h("li", { class: "found-nothing" }, words) }];
  }
  return [
    ...(chats.length ? [title("searchChats"), ...chats.map(drawn)] : []),
    ...(rows.length ? [title("searchMessages")] : []),
    ...rows.slice(0, MOST).map((row) => message(state, row, { find, nameOf, avatar })),
  ];
}

function message(state, row, { find, nameOf, avatar }) {
  const chat = state.chats.get(row.key);
  const when = shortWhen(row.createdAt, now(state));
  const name = fromBot(row) ? `${nameOf(chat)} · ${t("bot")}` : nameOf(chat);
  const text = plain(readable(row), Infinity);
  const build = () =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "chat", data: { testid: "found" }, on: { click: () => find(row) } },
        avatar(chat),
        h(
          "span",
          { class: "chat-line" },
          h("span", { class: "chat-name" }, name),
          h("time", { class: "chat-when" }, when),
        ),
        h("span", { class: "chat-line" }, h("span", { class: "chat-last" }, marked(text, state.search))),
      ),
    );
  return { key: `found ${row.id}`, version: JSON.stringify([name, when, text, state.search, chat.colour]), build };
}

/** Wire the field: Ctrl+K, Cmd+K or / lead to it, Escape empties it, the arrow down goes on to what was found. */
export function wireSearch(state, draw) {
  const field = byId("search");
  const look = () => {
    state.search = field.value.trim();
    if (!state.search) byId("search-count").textContent = "";
    draw();
  };
  field.addEventListener("input", look);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && field.value) {
      event.preventDefault();
      field.value = "";
      look();
    }
    const first = byId("chat-list").querySelector("button");
    if (event.key !== "ArrowDown" || !first) return;
    event.preventDefault();
    first.focus();
  });
  document.addEventListener("keydown", (event) => {
    const chord =
      (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k";
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.closest(TYPING);
    if ((!chord && !slash) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    document.body.dataset.view = "chats"; // a narrow screen shows one pane at a time
    field.focus();
    field.select();
  });
}
