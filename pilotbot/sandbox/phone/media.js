// Photos, films, sounds and files inside a bubble.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

const SAFE = /^(https?:|blob:|data:(image|video|audio)\/)/i;
const SAFE_LINK = /^https?:/i;

/**
 * Show a medium by its address; what cannot be shown becomes a line that says so.
 * @param {string} address http(s), blob or data address
 * @param {string} type image, sticker, video, audio, voice, document, or a MIME type
 * @param {string} caption used to describe a picture
 * @param {string} [filename] what a document is called
 */
export function media(address, type, caption, filename) {
  const link = String(address);
  const kind = kindOf(String(type ?? ""), link);
  if (kind === "document" || !SAFE.test(link)) return file(link, t("document"), filename);
  const failed = (event) => event.target.closest("figure").replaceWith(file(link, t("mediaBroken")));
  if (kind === "image") {
    return h(
      "figure",
      { class: `media ${type}` },
      h("img", { src: link, alt: caption || t("photo"), loading: "lazy", on: { error: failed } }),
    );
  }
  return h(
    "figure",
    { class: `media ${kind}` },
    h(kind, { src: link, controls: true, preload: "metadata", "aria-label": t(kind), on: { error: failed } }),
  );
}

function kindOf(type, link) {
  const kind = (type || /^data:([a-z]+)\//i.exec(link)?.[1] || "document").toLowerCase().split("/")[0];
  return { image: "image", sticker: "image", video: "video", audio: "audio", voice: "audio" }[kind] ?? "document";
}

function file(link, note, filename) {
  const name = filename || fileName(link);
  const content = [icon("document"), h("span", { class: "file-name" }, name), h("span", { class: "file-note" }, note)];
  if (!SAFE_LINK.test(link)) return h("p", { class: "file" }, content);
  return h(
    "a",
    {
      class: "file",
      href: link,
      target: "_blank",
      rel: "noopener noreferrer",
      "aria-label": t("mediaOpen", { name }),
    },
    content,
  );
}

function fileName(link) {
  if (!SAFE_LINK.test(link)) return t("document");
  try {
    const { pathname, hostname } = new URL(link);
    return decodeURIComponent(pathname.split("/").at(-1)) || hostname;
  } catch {
    return t("document");
  }
}
