// The chosen model is in the page's address, ?model=NAME, and in the element's attribute: they follow each other. This runs
// before the element is defined, so a linked model is the first one to be loaded.

{
  const figure = document.querySelector("moe-playground");
  const linked = new URL(location.href).searchParams.get("model");
  if (/^(?!.*\.json$)[\w-][\w.-]*$/.test(linked ?? "")) figure.setAttribute("model", linked);
  new MutationObserver(() => {
    const address = new URL(location.href);
    const model = figure.getAttribute("model");
    if (model) address.searchParams.set("model", model);
    else address.searchParams.delete("model");
    history.replaceState(history.state, "", address);
  }).observe(figure, { attributeFilter: ["model"] });
}
