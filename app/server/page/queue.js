/* The photos at the bottom. */
const queue = (() => {
  const list = document.getElementById("queue"), rows = new Map();
  const words = { queued: "waiting", working: "under way", done: "done", failed: "failed" };
  function row(photo) {
    const li = document.createElement("li");
    li.setAttribute("role", "option");
    li.innerHTML = '<img alt=""><span class="badge" aria-hidden="true"></span><span class="state" aria-hidden="true"><i></i></span><button type="button" tabindex="-1">×</button>';
    li.onclick = () => photos.select(photo);
    li.querySelector("button").onclick = e => { e.stopPropagation(); photos.remove(photo); };
    li.onkeydown = e => {
      if (e.key === "ArrowRight" || e.key === "ArrowLeft") { photos.step(e.key === "ArrowRight" ? 1 : -1); rows.get(photos.current.key).focus(); }
      else if (e.key === "Enter" || e.key === " ") photos.select(photo);
      else return;
      e.preventDefault();
      e.stopPropagation();
    };
    rows.set(photo.key, li);
    return li;
  }
  function update(photo) {
    const li = rows.get(photo.key);
    if (!li) return;
    const img = li.querySelector("img"), doubtful = photo.state === "done" && photo.report && photo.report.doubtful;
    if (photo.thumb && img.src !== photo.thumb) img.src = photo.thumb;
    li.className = photo.state + (doubtful ? " doubt" : "");
    li.querySelector("i").style.width = Math.round(photo.progress * 100) + "%";
    li.querySelector(".badge").textContent = photo.state === "failed" ? "!" : doubtful ? "?" : photo.state === "done" ? "✓" : photo.state === "working" ? Math.round(photo.progress * 100) + "%" : "…";
    li.setAttribute("aria-label", `${photo.name}, ${doubtful ? "done, doubtful" : words[photo.state]}`);
    li.title = photo.name;
    li.querySelector("button").setAttribute("aria-label", (photo.state === "working" ? "Stop and remove " : "Remove ") + photo.name);
  }
  return {
    update,
    list() {
      for (const [key, li] of rows) if (!photos.list.some(p => p.key === key)) { li.remove(); rows.delete(key); }
      for (const photo of photos.list) {
        const li = rows.get(photo.key) || list.appendChild(row(photo)), now = photo === photos.current;
        li.setAttribute("aria-selected", now);
        li.tabIndex = now ? 0 : -1;
        update(photo);
        if (now) li.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    },
  };
})();
