const slides = [...document.querySelectorAll("section")];
const now = () => Math.max(0, slides.findIndex(s => "#" + s.id === location.hash));
function go(to) {
  const slide = slides[Math.min(slides.length - 1, Math.max(0, to))];
  location.hash = slide.id; slide.focus();
}
const notes = () => document.body.classList.toggle("notes");
document.querySelectorAll("button").forEach(button => button.addEventListener("click", notes));
document.addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === " " && event.target.closest("a, button")) return;
  const step = {ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1}[event.key];
  if (step) { go(now() + step); event.preventDefault(); }
  if (event.key === "Home") go(0);
  if (event.key === "End") go(slides.length - 1);
  if (event.key === "n") notes();
});
