// What the page's buttons and keys open: loaded when the first of them is pressed.

export { openSave as save } from "../export/save.js";
export { copyLinkOf as link, openShare as share } from "../export/share.js";
