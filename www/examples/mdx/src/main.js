// Shows the article; all there is to do for its figures is to say where their files are.

import { MoePlayground } from "moe-playground";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import "./article.css";
import Article from "./article.mdx";

MoePlayground.assets = "moe-playground/assets/";

createRoot(document.querySelector("main")).render(createElement(Article));
