// WhatsApp's text markup, and links, as nodes. A parser of its own: text in, text nodes out, never HTML.

import { h } from "./dom.js";

const TAGS = { "*": "strong", _: "em", "~": "s", "`": "code" };
const FENCE = "```";
const FARTHEST = 2000; // a mark closes within this many characters, so that a long text costs no more than its length
const PREVIEW = 200;
const WORD = /[\p{L}\p{N}]/u;
const LINK = /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}]/g;

/** Nodes for a text that a contact or a bot wrote. */
export function formatted(text) {
  const parts = String(text).split(FENCE);
  // Every second part stands between two fences; a last fence without its pair is plain text.
  if (parts.length % 2 === 0) {
    const tail = parts.pop();
    parts.push(`${parts.pop()}${FENCE}${tail}`);
  }
  return parts.flatMap((part, index) => (index % 2 ? [h("code", { class: "mono" }, part)] : inline(part)));
}

/** The same text without its marks, on one line: for previews. */
export function plain(text) {
  return h("span", {}, formatted(String(text).slice(0, PREVIEW))).textContent.replace(/\s+/g, " ");
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
