// Sending more than words: files from the disk, dropped or pasted; a place, a contact card, a link.

import { postInbound, postMedia } from "./api.js";
import { senderOf } from "./composer.js";
import { byId, h, icon } from "./dom.js";
import { bytes } from "./format.js";
import { t } from "./i18n.js";
import { field, form, show } from "./modal.js";
import { openMenu } from "./popup.js";
import { cardDialog, linkDialog, locationDialog } from "./share.js";

const LARGEST = 16 * 1024 * 1024; // bytes: what the sandbox takes
/** Open the menu of what can be attached. `acts.share(message)` sends it. */
export function attachMenu(anchor, state, acts, attempt) {
  const pick = (accept, as) => () => choose(accept, (files) => preview(state, files, as, acts, attempt));
  openMenu(anchor, t("attachMenu"), [
    { testid: "attach-visual", label: t("attachVisual"), icon: "image", act: pick("image/*,video/*") },
    { testid: "attach-document", label: t("attachDocument"), icon: "document", act: pick("", "document") },
    { testid: "attach-audio", label: t("attachAudio"), icon: "audio", act: pick("audio/*") },
    { testid: "attach-sticker", label: t("attachSticker"), icon: "sticker", act: pick("image/*", "sticker") },
    { testid: "attach-location", label: t("attachLocation"), icon: "pin", act: () => locationDialog(acts.share) },
    { testid: "attach-contact", label: t("attachContact"), icon: "person", act: () => cardDialog(state, acts.share) },
    { testid: "attach-by-link", label: t("attachByLink"), icon: "link", act: () => linkDialog(acts.share) },
  ]);
}

function choose(accept, use) {
  const chooser = h("input", { type: "file", accept, multiple: true, data: { testid: "file-input" } });
  chooser.addEventListener("change", () => chooser.files.length && use([...chooser.files]));
  chooser.click();
}

const familyOf = (file, as) => as ?? (/^(image|video|audio)\//.exec(file.type)?.[1] || "document");

/** Show what is about to be sent, with room for a caption. */
function preview(state, files, as, acts, attempt) {
  const wrong = files.find((file) => file.size > LARGEST || file.size === 0);
  const caption = h("input", { id: "caption", autocomplete: "off", maxlength: 1024, data: { testid: "caption" } });
  const takesCaption = files.some((file) => ["image", "video", "document"].includes(familyOf(file, as)));
  const addresses = [];
  const look = (file) => {
    const family = familyOf(file, as);
    const address = URL.createObjectURL(file);
    addresses.push(address);
    const about = h("p", { class: "preview-about" }, h("b", {}, file.name), ` ${bytes(file.size)}`);
    const shown = {
      image: () => h("img", { src: address, alt: file.name }),
      sticker: () => h("img", { src: address, alt: file.name, class: "preview-sticker" }),
      video: () => h("video", { src: address, controls: true, "aria-label": file.name }),
      audio: () => h("audio", { src: address, controls: true, "aria-label": file.name }),
    }[family];
    return h("figure", { class: "preview", data: { testid: "preview" } }, shown?.() ?? icon("document"), about);
  };
  // The chat is the one that was open when the files were chosen, whatever is opened meanwhile.
  const sender = senderOf(state);
  const submit = () => {
    if (wrong) return false;
    send(sender, files, as, takesCaption ? caption.value.trim() : "", acts, attempt);
    return true;
  };
  const problem = wrong && t(wrong.size ? "tooLarge" : "emptyFile", { name: wrong.name });
  const title =
    files.length > 1 ? t("previewTitles", { count: files.length }) : t("previewTitle", { name: files[0].name });
  show(
    title,
    form(
      submit,
      h("div", { class: "previews" }, files.map(look)),
      problem && h("p", { class: "problem", role: "alert" }, problem),
      takesCaption && !wrong && field(t("attachCaption"), caption),
      t("send"),
    ),
  );
  const dialog = byId("dialog");
  dialog.addEventListener("close", () => addresses.forEach((address) => URL.revokeObjectURL(address)), { once: true });
  dialog.querySelector(".primary").disabled = Boolean(wrong);
  (takesCaption && !wrong ? caption : dialog.querySelector(".primary")).focus();
}

/** Send the files in order; the caption goes with the first that can carry one. */
async function send(sender, files, as, caption, acts, attempt) {
  let words = caption;
  const quoted = acts.takeQuote();
  for (const file of files) {
    const family = familyOf(file, as);
    const sent = await attempt(async () => {
      const { url, mimeType, filename } = await postMedia(await read(file), file.name);
      const carries = ["image", "video", "document"].includes(family) && words;
      await postInbound({
        ...sender,
        ...quoted,
        type: family,
        media: url,
        mediaType: mimeType,
        filename: filename ?? file.name,
        ...(carries ? { caption: words } : {}),
      });
      if (carries) words = "";
    });
    if (!sent) return;
  }
}

function read(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const [, data] = reader.result.split(",", 2);
      resolve(`data:${file.type || "application/octet-stream"};base64,${data}`);
    });
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

/** Wire what is dropped on the conversation or pasted into the composer. */
export function wireFiles(state, acts, attempt) {
  const talk = byId("talk");
  const drop = byId("drop");
  const open = () => state.open && !byId("composer").hidden && !byId("dialog").open;
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  talk.addEventListener("dragover", (event) => {
    if (!carries(event) || !open()) return;
    event.preventDefault();
    drop.hidden = false;
  });
  talk.addEventListener("dragleave", (event) => {
    if (!talk.contains(event.relatedTarget)) drop.hidden = true;
  });
  talk.addEventListener("drop", (event) => {
    if (!carries(event) || !open()) return;
    event.preventDefault();
    drop.hidden = true;
    const files = [...event.dataTransfer.files];
    if (files.length) preview(state, files, undefined, acts, attempt);
  });
  byId("text").addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || !open()) return;
    event.preventDefault();
    preview(state, files, undefined, acts, attempt);
  });
}
