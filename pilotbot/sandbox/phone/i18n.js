// The page's words, in English and Portuguese. A text with {name} takes that parameter.

import { remember, recall } from "./memory.js";
import { PANEL } from "./words-panel.js";
import { TALK } from "./words.js";

const WORDS = {
  ...TALK,
  ...PANEL,
  title: ["Pilot Status sandbox", "Sandbox do Pilot Status"],
  subtitle: ["Nothing here leaves this computer", "Nada aqui sai deste computador"],
  chats: ["Chats", "Conversas"],
  newContact: ["New contact", "Novo contato"],
  back: ["Back to the chats", "Voltar às conversas"],
  close: ["Close", "Fechar"],
  cancel: ["Cancel", "Cancelar"],
  clock: ["Sandbox clock", "Relógio do sandbox"],
  clockMove: ["Move the clock forward by {by}", "Avançar o relógio em {by}"],
  clockAhead: ["{by} ahead", "{by} à frente"],
  receipts: ["Read receipts", "Confirmação de leitura"],
  faults: ["Simulate trouble", "Simular problemas"],
  language: ["Mudar para português", "Switch to English"],
  connecting: ["Connecting…", "Conectando…"],
  live: ["Live", "Ao vivo"],
  lost: ["Connection lost. Trying again…", "Conexão perdida. Tentando de novo…"],
  welcomeTitle: ["Talk to your bot as a customer would", "Fale com o seu bot como um cliente"],
  welcomeText: [
    "This is the phone of make-believe customers. What you write here reaches your bot exactly as a WhatsApp message would, and its answers come back here.",
    "Este é o celular de clientes de mentirinha. O que você escreve aqui chega ao seu bot como uma mensagem do WhatsApp, e as respostas voltam para cá.",
  ],
  welcomeAna: ["Write as Ana", "Escrever como Ana"],
  welcomeOther: ["Another contact", "Outro contato"],
  pickTitle: ["Choose a chat", "Escolha uma conversa"],
  pickText: ["Pick a customer on the left, or add a new one.", "Escolha um cliente à esquerda ou adicione um novo."],
  quietTitle: ["{name} has not written yet", "{name} ainda não escreveu"],
  quietText: [
    "Say something to the bot, as {name} would. To begin, try:",
    "Diga algo ao bot, como {name} diria. Para começar, tente:",
  ],
  sampleOrder: ["order", "pedido"],
  sampleHi: ["hi", "oi"],
  writeAs: ["Write as {name}…", "Escreva como {name}…"],
  send: ["Send", "Enviar"],
  attach: ["Send a photo or file", "Enviar foto ou arquivo"],
  quote: ["Reply to this message", "Responder a esta mensagem"],
  quoting: ["Replying to", "Respondendo a"],
  quoteCancel: ["Do not reply to it", "Não responder"],
  bot: ["Bot", "Bot"],
  number_num_meta: ["Meta number", "Número Meta"],
  number_num_evolution: ["Evolution number", "Número Evolution"],
  newMessages: ["New messages", "Mensagens novas"],
  earlier: ["Show earlier messages", "Mostrar mensagens anteriores"],
  today: ["Today", "Hoje"],
  yesterday: ["Yesterday", "Ontem"],
  unread: ["{count} unread", "{count} não lidas"],
  windowOpen: ["Window open, closes in {left}", "Janela aberta, fecha em {left}"],
  windowClosed: ["Window closed: only templates arrive", "Janela fechada: só chegam templates"],
  windowNever: ["Window closed: {name} never wrote", "Janela fechada: {name} nunca escreveu"],
  windowNone: ["No 24-hour window here", "Sem janela de 24 horas aqui"],
  template: ["template", "template"],
  mode_text: ["text", "texto"],
  mode_buttons: ["buttons", "botões"],
  mode_list: ["list", "lista"],
  mode_carousel: ["carousel", "carrossel"],
  mode_flow: ["flow", "flow"],
  mode_template: ["template", "template"],
  mode_media: ["media", "mídia"],
  options: ["Options", "Opções"],
  tapped: ["tapped", "tocado"],
  copied: ["Copied", "Copiado"],
  group: ["Group", "Grupo"],
  newsletter: ["Channel", "Canal"],
  photo: ["Photo", "Foto"],
  video: ["Video", "Vídeo"],
  audio: ["Audio", "Áudio"],
  document: ["Document", "Documento"],
  sticker: ["Sticker", "Figurinha"],
  mediaOpen: ["Open {name}", "Abrir {name}"],
  mediaBroken: ["Cannot be shown here", "Não pode ser exibido aqui"],
  st_queued: ["Waiting to be sent", "Aguardando envio"],
  st_sent: ["Sent", "Enviada"],
  st_delivered: ["Delivered", "Entregue"],
  st_read: ["Read", "Lida"],
  st_failed: ["Not delivered", "Não entregue"],
  st_canceled: ["Canceled", "Cancelada"],
  in_waiting: ["No bot has taken it yet", "Nenhum bot recebeu ainda"],
  in_taken: ["The bot has it", "O bot recebeu"],
  in_read: ["Read by the business", "Lida pela empresa"],
  e_META_OUTSIDE_24H_WINDOW: [
    "More than 24 hours since the contact's last message: only a template may go.",
    "Mais de 24 horas desde a última mensagem do contato: só um template pode sair.",
  ],
  e_META_NO_CONVERSATION: [
    "The contact never wrote: only a template may go.",
    "O contato nunca escreveu: só um template pode sair.",
  ],
  e_META_TEMPLATE_NOT_APPROVED: ["The template is not approved.", "O template não está aprovado."],
  e_WHATSAPP_NOT_EXIST: ["This number has no WhatsApp.", "Este número não tem WhatsApp."],
  e_MESSAGE_EXPIRED: ["It was not sent before its deadline.", "Não foi enviada antes do prazo."],
  name: ["Name", "Nome"],
  phone: ["Phone, with country code", "Telefone, com código do país"],
  phoneWrong: [
    "A phone looks like +5511987650001: a plus sign and 8 to 15 digits.",
    "Um telefone é como +5511987650001: um sinal de mais e 8 a 15 dígitos.",
  ],
  groupWrong: ["A group id looks like 120363000000000001@g.us.", "Um id de grupo é como 120363000000000001@g.us."],
  groupRefused: [
    "A bot cannot answer in groups from this number: the platform refuses it.",
    "Um bot não pode responder em grupos por este número: a plataforma recusa.",
  ],
  writesTo: ["Writes to", "Escreve para"],
  start: ["Start the chat", "Iniciar conversa"],
  writingAs: ["Writing as", "Escrevendo como"],
  attachKind: ["Kind", "Tipo"],
  attachLink: ["Link to the file", "Link do arquivo"],
  attachCaption: ["Caption (optional)", "Legenda (opcional)"],
  attachHint: [
    "The sample photo is served by this sandbox. Any http(s) link works.",
    "A foto de exemplo vem deste sandbox. Qualquer link http(s) serve.",
  ],
  linkWrong: ["A link begins with http:// or https://", "Um link começa com http:// ou https://"],
  reset: ["Forget all chats", "Esquecer as conversas"],
  resetSure: [
    "Forget all chats and start afresh? Numbers and templates stay.",
    "Esquecer todas as conversas e recomeçar? Números e templates ficam.",
  ],
  failedAction: ["It did not work: {reason}", "Não deu certo: {reason}"],
  unreachable: ["the sandbox does not answer. Is it running?", "o sandbox não responde. Ele está rodando?"],
};

const LANGUAGES = ["en", "pt"];
const guess = () => (navigator.language.toLowerCase().startsWith("pt") ? "pt" : "en");

let current = LANGUAGES.includes(recall("language")) ? recall("language") : guess();

/** The language in use, as a locale for dates. */
export const locale = () => (current === "pt" ? "pt-BR" : "en");

/** One text in the language in use; an unknown key comes back as it is. */
export function t(key, params = {}) {
  const text = Object.hasOwn(WORDS, key) ? WORDS[key][LANGUAGES.indexOf(current)] : key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(params, name) ? String(params[name]) : whole));
}

/** Whether the page has a text of its own under this key. */
export const has = (key) => Object.hasOwn(WORDS, key);

/** What a number is called: the sandbox's own two in the language in use, any other as its owner named it. */
export function numberName(number) {
  const key = `number_${number.id}`;
  return has(key) && WORDS[key][0] === number.name ? t(key) : number.name;
}

/** Change to the other language and remember it. */
export function switchLanguage() {
  current = current === "en" ? "pt" : "en";
  remember("language", current);
}

/** Write the texts of elements that name theirs in data-t (text) or data-t-label (aria-label and tooltip). */
export function translate(root = document) {
  document.documentElement.lang = locale();
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    const label = t(element.dataset.tLabel, { by: element.dataset.by });
    element.setAttribute("aria-label", label);
    element.title = label;
  }
}
