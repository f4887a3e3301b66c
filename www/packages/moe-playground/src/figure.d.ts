// The application as far as figures in other pages need it: the same library as `web.js`, compiled without the rest.

export * from "./web.js";
export { default } from "./web.js";
