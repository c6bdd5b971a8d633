"use strict";
// Without this one picture goes the plain way; with it ten go one after the other.
const form = document.getElementById("drop");
const zone = document.getElementById("zone");
const input = document.getElementById("file");
const answers = document.getElementById("answers");

function waiting(name, text) {
  const box = document.createElement("section");
  box.className = "panel";
  const line = document.createElement("p");
  line.textContent = name + " " + text;
  box.append(line);
  answers.append(box);
  return box;
}

async function ask(file, number, box) {
  const sent = new FormData(form);
  sent.delete("file");
  sent.set("key", sent.get("key") + "/" + number);
  sent.append("file", file, file.name);
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: sent, credentials: "same-origin", headers: { "X-Fragment": "1" },
    });
    if (!answer.ok || answer.redirected) throw new Error("refused");
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    box.replaceWith(holder.content);
  } catch {
    box.firstChild.textContent = file.name + ": " + form.dataset.lost;
  }
}

let sent = 0;
async function all(files) {
  const limit = Number(form.dataset.limit);
  answers.replaceChildren();
  if (files.length > limit) waiting("", form.dataset.many);
  const chosen = [...files].slice(0, limit).map((file) => [file, ++sent, waiting(file.name, form.dataset.busy)]);
  for (const [file, number, box] of chosen) await ask(file, number, box);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (form.reportValidity()) all(input.files);
});
for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  input.files = event.dataTransfer.files;
  all(input.files);
});
