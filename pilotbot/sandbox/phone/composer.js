// Writing as the contact: text, quote, in groups as whom.

import { byId, fill, h, icon } from "./dom.js";
import { quotedBlock } from "./bubble.js";
import { nameOf } from "./chats.js";
import { phoneText } from "./format.js";
import { t } from "./i18n.js";
import { chatOf, rowsOf } from "./state.js";

const TALLEST = 140; // pixels
const SOMEONE = { phone: "+5511987650001", name: "Ana" }; // who writes where nobody has written yet

/** Draw the composer of the open chat. */
export function drawComposer(state, acts) {
  const chat = state.open && chatOf(state, state.open);
  if (!chat) return;
  const text = byId("text");
  const label = t("writeAs", { name: chat.kind === "group" ? authorOf(state, chat).name : nameOf(chat) });
  text.placeholder = label;
  text.setAttribute("aria-label", label);
  drawQuote(state, acts);
  drawAuthors(state, chat);
}

function drawQuote(state, acts) {
  const box = byId("quoting");
  const row = state.quote && state.rows.get(state.quote);
  box.hidden = !row;
  if (!row) return;
  fill(
    box,
    h("span", { class: "spoken" }, t("quoting")),
    quotedBlock(row),
    h(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": t("quoteCancel"),
        title: t("quoteCancel"),
        on: { click: acts.unquote },
      },
      icon("close"),
    ),
  );
}

/** The people who have written in a group, and those added here. */
function authorsOf(state, chat) {
  const people = new Map((chat.authors ?? []).map((author) => [author.phone, author]));
  for (const draft of state.drafts.filter((draft) => draft.key === chat.key))
    draft.authors?.forEach((author) => people.set(author.phone, author));
  for (const row of rowsOf(state, chat.key)) {
    if (row.direction === "in" && row.author)
      people.set(row.author, {
        phone: row.author,
        name: row.authorName ?? people.get(row.author)?.name ?? row.author,
      });
  }
  return people.size ? [...people.values()] : [SOMEONE];
}

function authorOf(state, chat) {
  const people = authorsOf(state, chat);
  return people.find((person) => person.phone === byId("author").dataset.phone) ?? people.at(-1);
}

function drawAuthors(state, chat) {
  const box = byId("author");
  box.hidden = chat.kind !== "group";
  if (box.hidden) return;
  const chosen = authorOf(state, chat);
  const choose = ({ target }) => {
    box.dataset.phone = target.value;
    drawComposer(state, {});
  };
  const options = authorsOf(state, chat).map((person) =>
    h("option", { value: person.phone, selected: person === chosen }, `${person.name} ${phoneText(person.phone)}`),
  );
  fill(
    box,
    h("label", { for: "author-select" }, t("writingAs")),
    h("select", { id: "author-select", on: { change: choose } }, options),
  );
}

/** What every inbound message of the open chat says of its sender. */
export function senderOf(state) {
  const chat = chatOf(state, state.open);
  if (chat.kind === "contact")
    return { from: chat.contact, number: chat.number, ...(chat.name ? { name: chat.name } : {}) };
  if (chat.kind === "newsletter")
    return { from: SOMEONE.phone, number: chat.number, event: "newsletter", newsletterId: chat.contact };
  const author = authorOf(state, chat);
  const name = author.name === author.phone ? {} : { name: author.name };
  return { from: author.phone, number: chat.number, event: "group", groupId: chat.contact, ...name };
}

/** Wire the form. `say(text)` resolves to whether the message was taken; if not, its text comes back. */
export function wireComposer(say, unquote) {
  const form = byId("composer");
  const text = byId("text");
  byId("send").append(icon("send"));
  byId("attach").append(icon("attach"));
  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") unquote();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return;
    write("");
    if (!(await say(words)) && !text.value) write(words);
  });
}

/** Put a text in the composer and the cursor after it. */
export function write(words) {
  byId("text").value = words;
  grow();
  byId("text").focus();
}

function grow() {
  const text = byId("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, TALLEST)}px`;
}
