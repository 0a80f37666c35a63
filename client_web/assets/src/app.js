// Everything a page needs at once; heavy parts load themselves when a page has their element.
import "./htmx.js";
import "./dialog.js";
import "./menu.js";
import "./shell.js";
import "./shortcuts.js";
import "./toast.js";
import "./forms.js";
import "./table.js";
import "./money.js";
import "./date.js";
import "./drop.js";
import "./select.js";
import "./board.js";
import "./presence.js";
import { whenPresent } from "./dom.js";

whenPresent("[x-data]", () => import("./alpine.js"));
