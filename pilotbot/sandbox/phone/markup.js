// WhatsApp's text markup, and links, as nodes. A parser of its own: text in, text nodes out, never HTML.

import { h } from "./dom.js";

const TAGS = { "*": "strong", _: "em", "~": "s", "`": "code" };
const FENCE = "```";
const FARTHEST = 2000; // a mark closes within this many characters, so that a long text costs no more than its length
const PREVIEW = 200;
const LINES = { bullets: /^- (\S.*)$/, numbers: /^\d{1,3}\. (\S.*)$/, quote: /^> ?(\S.*)$/ };
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2})/u;
const WORD = /[\p{L}\p{N}]/u;
const LINK = /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}]/g;

/** Nodes for a text that a contact or a bot wrote. */
export function formatted(text) {
  return parts(text).flatMap((part, index) =>
    index % 2 ? [h("code", { class: "mono" }, part)] : blocks(part, index === 0),
  );
}

/** The same text without its marks, on one line: for previews. */
export function plain(text, longest = PREVIEW) {
  const nodes = parts(String(text).slice(0, longest)).flatMap((part, index) => (index % 2 ? [part] : inline(part)));
  return h("span", {}, nodes).textContent.replace(/\s+/g, " ");
}

/** Whether a text is nothing but one to three emoji. */
export function isEmoji(text) {
  const letters = [...new Intl.Segmenter().segment(text.trim().slice(0, 100))].map(({ segment }) => segment);
  return letters.length > 0 && letters.length <= 3 && letters.every((letter) => EMOJI.test(letter));
}

/** A text cut at its fences: every second part stands between two; a last fence without its pair is plain text. */
function parts(text) {
  const cut = String(text).split(FENCE);
  if (cut.length % 2 === 0) {
    const tail = cut.pop();
    cut.push(`${cut.pop()}${FENCE}${tail}`);
  }
  return cut;
}

/** Lists and quotes are made of whole lines; the first line of a text that goes on after a fence is none. */
function blocks(text, fromStart) {
  const groups = []; // lines of one kind that follow each other
  for (const [index, line] of text.split("\n").entries()) {
    const [kind, inside] = ((index || fromStart) && kindOf(line, groups.at(-1))) || ["words", line];
    if (groups.at(-1)?.kind === kind) groups.at(-1).lines.push(inside);
    else groups.push({ kind, lines: [inside], start: line });
  }
  return groups.flatMap(({ kind, lines, start }, index) => {
    if (kind === "quote") return [h("blockquote", { class: "cited" }, inline(lines.join("\n")))];
    if (kind === "words") {
      // The block that follows ends the line; an empty line before it is kept by a break of its own.
      const open = index < groups.length - 1 && lines.at(-1) === "";
      return inline(lines.join("\n") + (open ? "\n" : ""));
    }
    const entries = lines.map((line) => h("li", {}, inline(line)));
    return [kind === "numbers" ? h("ol", { start: Number.parseInt(start, 10) }, entries) : h("ul", {}, entries)];
  });
}

/** What a line is part of, and what it says there; null for plain words. */
function kindOf(line, before) {
  for (const [kind, pattern] of Object.entries(LINES)) {
    const match = pattern.exec(line);
    if (match) return [kind, match[1]];
  }
  return before?.kind === "quote" && line === ">" ? ["quote", ""] : null;
}

function inline(text) {
  const nodes = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) nodes.push(...linked(plain));
    plain = "";
  };
  while (at < text.length) {
    const end = TAGS[text[at]] ? closing(text, at) : -1;
    if (end < 0) {
      plain += text[at];
      at += 1;
      continue;
    }
    flush();
    const inside = text.slice(at + 1, end);
    nodes.push(h(TAGS[text[at]], {}, text[at] === "`" ? inside : inline(inside)));
    at = end + 1;
  }
  flush();
  return nodes;
}

/** Where the mark opened at `at` closes, or -1 when it opens nothing: marks hug their words and stay on one line. */
function closing(text, at) {
  const mark = text[at];
  if (at > 0 && WORD.test(text[at - 1])) return -1;
  if (!text[at + 1] || /\s/.test(text[at + 1]) || text[at + 1] === mark) return -1;
  const limit = Math.min(text.length, at + FARTHEST);
  for (let end = at + 2; end < limit && text[end] !== "\n"; end += 1) {
    if (text[end] === mark && !/\s/.test(text[end - 1]) && !(text[end + 1] && WORD.test(text[end + 1]))) return end;
  }
  return -1;
}

function linked(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(h("a", { href: match[0], target: "_blank", rel: "noopener noreferrer" }, match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}
