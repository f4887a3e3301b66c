// A figure, from the element at an address.

export default async function figure() {
  await import("../../assets/element.js");
  const figure = document.createElement("moe-playground");
  figure.view = "strip lanes";
  figure.controls = "capacity policy";
  figure.prompt = "The cat sat on the mat, and the dog lay down beside her.";
  figure.capacityFactor = 0.75;
  figure.maxTokens = 0;
  return figure;
}
