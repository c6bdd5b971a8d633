"use strict";
// Signing with the CryptoPro plug-in: its documented asynchronous calls and nothing else.
// The service makes the hash and checks the answer; this page only carries one to the other.
const root = document.getElementById("signing");
const at = (id) => document.getElementById(id);
const phrases = at("phrases").dataset;
const russian = document.documentElement.lang !== "en";
const HASHES = {
  sha256: "CADESCOM_HASH_ALGORITHM_SHA_256",
  sha384: "CADESCOM_HASH_ALGORITHM_SHA_384",
  sha512: "CADESCOM_HASH_ALGORITHM_SHA_512",
  streebog256: "CADESCOM_HASH_ALGORITHM_CP_GOST_3411_2012_256",
  streebog512: "CADESCOM_HASH_ALGORITHM_CP_GOST_3411_2012_512",
};
// Windows' own codes: cancelled by the user, in the card's dialog and in any other.
const CANCELLED = /8010006E|800704C7|000004C7/i;
const DENIED = /80090010|8007065B/i;
const WAIT = 20000;

let certificates = [];
let session = null;
let chosen = null;
let page = 1;

function show(...names) {
  for (const id of ["looking", "missing", "none", "choice", "shown", "busy"]) at(id).hidden = !names.includes(id);
}

function complain(text) {
  const box = at("problem");
  box.hidden = !text;
  box.firstElementChild.textContent = text || "";
  if (text) box.focus();
}

class Told extends Error {}

async function ask(method, address, body) {
  let answer;
  try {
    answer = await fetch(address, {
      method, credentials: "same-origin", body: body && JSON.stringify(body),
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": root.dataset.csrf },
    });
  } catch {
    throw new Told(phrases.network);
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const problem = new Told((russian ? told.detail : told.detail_en) || phrases.network);
    problem.code = told.code;
    throw problem;
  }
  return told;
}

function late(wait) {
  return new Promise((_, reject) => { setTimeout(() => reject(new Error("timeout")), wait); });
}

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

async function ready() {
  if (!window.cadesplugin && root.dataset.script) await load(root.dataset.script);
  if (!window.cadesplugin) throw new Error("no plug-in");
  // The object is a promise with methods on it: wait for it, then use it, never return it.
  await Promise.race([window.cadesplugin, late(WAIT)]);
}

function reason(error) {
  const text = String((window.cadesplugin.getLastError && window.cadesplugin.getLastError(error)) || error.message || error);
  if (CANCELLED.test(text)) return phrases.cancelled;
  if (DENIED.test(text)) return phrases.denied;
  return `${phrases.failed} ${text}`;
}

async function from(place, found) {
  const api = window.cadesplugin;
  const store = await api.CreateObjectAsync("CAdESCOM.Store");
  await store.Open(place, api.CAPICOM_MY_STORE, api.CAPICOM_STORE_OPEN_MAXIMUM_ALLOWED);
  try {
    const all = await store.Certificates;
    const count = await all.Count;
    for (let number = 1; number <= count; number += 1) {
      const certificate = await all.Item(number);
      const thumbprint = await certificate.Thumbprint;
      if (found.has(thumbprint) || !(await certificate.HasPrivateKey())) continue;
      found.set(thumbprint, {
        certificate,
        owner: part(await certificate.SubjectName, "CN"),
        issuer: part(await certificate.IssuerName, "CN"),
        until: new Date(await certificate.ValidToDate),
      });
    }
  } finally {
    await store.Close();
  }
}

// "CN=""ООО """"Ромашка""""", SN=…" : quoted values double their quotes.
function part(name, key) {
  const found = name.match(new RegExp(`(?:^|,\\s*)${key}=("(?:[^"]|"")*"|[^,]*)`));
  if (!found) return name;
  const text = found[1].trim();
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

function day(moment) {
  return moment.toLocaleDateString(russian ? "ru-RU" : "en-GB");
}

function list() {
  const box = at("certificates");
  box.querySelectorAll("label").forEach((line) => line.remove());
  const now = new Date();
  certificates.sort((one, other) => other.until - one.until);
  certificates.forEach((one, place) => {
    const line = at("line").content.cloneNode(true);
    const radio = line.querySelector("input");
    radio.value = String(place);
    radio.disabled = one.until < now;
    radio.checked = place === 0 && !radio.disabled;
    line.querySelector(".owner").textContent = one.owner;
    line.querySelector(".issuer").textContent = `${phrases.issuer} ${one.issuer}`;
    line.querySelector(".until").textContent = `${one.until < now ? phrases.ended : phrases.validUntil} ${day(one.until)}`;
    box.append(line);
  });
}

async function start() {
  complain("");
  show("looking");
  try {
    await ready();
  } catch {
    show("missing");
    return;
  }
  const api = window.cadesplugin;
  const found = new Map();
  try {
    await from(api.CAPICOM_CURRENT_USER_STORE, found);
  } catch (error) {
    show("missing");
    complain(reason(error));
    return;
  }
  // Keys on tokens whose certificate was not installed; older plug-ins do not know this store.
  if (api.CADESCOM_CONTAINER_STORE !== undefined) await from(api.CADESCOM_CONTAINER_STORE, found).catch(() => {});
  certificates = [...found.values()];
  if (!certificates.length) { show("none"); return; }
  list();
  show("choice");
}

async function begin(event) {
  event.preventDefault();
  complain("");
  const given = new FormData(at("choice"));
  chosen = certificates[Number(given.get("certificate"))];
  const button = at("choice").querySelector("button");
  button.disabled = true;
  try {
    const exported = await chosen.certificate.Export(window.cadesplugin.CADESCOM_ENCODE_BASE64);
    session = await ask("POST", `/api/v1/documents/${root.dataset.document}/signing-sessions`, {
      certificate_base64: exported, file_id: root.dataset.file, form: given.get("form"),
    });
    look();
  } catch (error) {
    complain(error instanceof Told ? error.message : reason(error));
  }
  button.disabled = false;
}

function size(bytes) {
  const unit = bytes < 1048576 ? ["КБ", "KB"] : ["МБ", "MB"];
  const figure = bytes < 1048576 ? Math.max(1, Math.round(bytes / 1024)) : (bytes / 1048576).toFixed(1);
  return `${figure} ${unit[russian ? 0 : 1]}`;
}

function look() {
  at("s-title").textContent = session.title;
  at("s-link").textContent = session.file_name;
  at("s-link").href = session.download_url;
  at("s-size").textContent = size(session.size);
  at("s-owner").textContent = `${chosen.owner}. ${phrases.issuer} ${chosen.issuer}`;
  at("s-until").textContent = new Date(session.expires_at).toLocaleTimeString(russian ? "ru-RU" : "en-GB", { hour: "2-digit", minute: "2-digit", timeZone: root.dataset.zone });
  at("s-hash").textContent = `${session.hash_algorithm} ${session.hash_hex}`;
  const warnings = at("warnings");
  warnings.replaceChildren(...session.warnings.map((one) => {
    const line = document.createElement("li");
    line.textContent = russian ? one.ru : one.en;
    return line;
  }));
  warnings.hidden = !session.warnings.length;
  page = 1;
  turn();
  show("shown");
  at("look").focus();
}

function turn() {
  const pages = session.pages || 0;
  const shown = session.media_type === "application/pdf" && pages > 0;
  at("preview").hidden = !shown;
  at("blind").hidden = shown;
  if (!shown) return;
  at("picture").src = `/signing-sessions/${session.id}/page?number=${page}`;
  at("number").textContent = `${phrases.page} ${page} ${phrases.of} ${pages}`;
  at("preview").lastElementChild.hidden = pages < 2;
  at("earlier").disabled = page <= 1;
  at("later").disabled = page >= pages;
}

async function signature() {
  const api = window.cadesplugin;
  const algorithm = api[HASHES[session.hash_algorithm]];
  if (algorithm === undefined) throw new Told(phrases.unsupported);
  const hashed = await api.CreateObjectAsync("CAdESCOM.HashedData");
  // The algorithm first: the value is read by it.
  await hashed.propset_Algorithm(algorithm);
  await hashed.SetHashValue(session.hash_hex.toUpperCase());
  const signer = await api.CreateObjectAsync("CAdESCOM.CPSigner");
  await signer.propset_Certificate(chosen.certificate);
  await signer.propset_Options(api.CAPICOM_CERTIFICATE_INCLUDE_CHAIN_EXCEPT_ROOT);
  if (session.form === "cades") {
    // Inside a PDF the time stands in the PDF (ETSI EN 319 142-1 section 6.3).
    const time = await api.CreateObjectAsync("CADESCOM.CPAttribute");
    await time.propset_Name(api.CADESCOM_AUTHENTICATED_ATTRIBUTE_SIGNING_TIME);
    await time.propset_Value(new Date());
    const attributes = await signer.AuthenticatedAttributes2;
    await attributes.Add(time);
  }
  const data = await api.CreateObjectAsync("CAdESCOM.CadesSignedData");
  await data.propset_ContentEncoding(api.CADESCOM_BASE64_TO_BINARY);
  return data.SignHash(hashed, signer, api.CADESCOM_CADES_BES);
}

async function sign() {
  complain("");
  show("shown", "busy");
  at("sign").disabled = true;
  try {
    const cms = await signature();
    const entered = await ask("POST", `/api/v1/signing-sessions/${session.id}/signature`, { cms_base64: cms });
    tell(entered.signatures.find((one) => one.id === entered.id));
  } catch (error) {
    const told = error instanceof Told;
    complain(told ? error.message : reason(error));
    const over = told && ["session_over", "file_changed", "not_your_turn"].includes(error.code);
    show(over ? "choice" : "shown");
  }
  at("sign").disabled = false;
}

function tell(one) {
  show();
  const good = one.verdict === "valid";
  const box = at("result");
  box.className = `message ${good ? "done" : "warn"}`;
  box.querySelector("strong").textContent = good ? phrases.signed : phrases.unproved;
  at("verdict").textContent = good
    ? `${one.signer}. ${phrases.valid}`
    : one.report.reasons.map((found) => (russian ? found.ru : found.en)).join(" ");
  at("upload").hidden = true;
  box.hidden = at("onward").hidden = false;
  box.focus();
}

async function giveUp() {
  complain("");
  await ask("DELETE", `/api/v1/signing-sessions/${session.id}`).catch(() => {});
  session = null;
  show("choice");
  complain(phrases.given);
}

at("again").addEventListener("click", start);
at("reload").addEventListener("click", start);
at("choice").addEventListener("submit", begin);
at("sign").addEventListener("click", sign);
at("give-up").addEventListener("click", giveUp);
at("earlier").addEventListener("click", () => { page -= 1; turn(); });
at("later").addEventListener("click", () => { page += 1; turn(); });
start();
