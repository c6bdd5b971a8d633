"use strict";
// The page works without this: it only counts and searches while one chooses.
const form = document.getElementById("choice");
const plan = document.getElementById("plan");
const picker = document.getElementById("picker");
const hits = document.getElementById("hits");
const chosen = document.getElementById("chosen");

function later(wait, work) {
  let timer = 0, round = 0;
  return () => { clearTimeout(timer); timer = setTimeout(() => work(++round, () => round), wait); };
}

async function fragment(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  return answer.ok && !answer.redirected ? answer.text() : null;
}

const count = later(450, async (mine, newest) => {
  const asked = new URLSearchParams(new FormData(form));
  asked.delete("q");
  const text = await fragment(form.dataset.plan + "?" + asked);
  if (text !== null && mine === newest()) plan.innerHTML = text;
});

const find = later(250, async (mine, newest) => {
  const text = await fragment(picker.dataset.picker + "?" + new URLSearchParams({ q: picker.value }));
  if (text !== null && mine === newest()) hits.innerHTML = text;
});

function recount() {
  const send = document.getElementById("send");
  if (send) { send.remove(); document.getElementById("changed").hidden = false; }
  count();
}

form.addEventListener("change", (event) => {
  if (event.target === picker) return;
  const item = event.target.closest("#hits li");
  if (item && event.target.checked) chosen.append(item);
  recount();
});
picker.addEventListener("input", find);
// Ticked before this ran, or given back by the browser's Back: nobody was told of the change.
if ([...form.querySelectorAll("input")].some((one) => one.checked !== one.defaultChecked)) recount();
