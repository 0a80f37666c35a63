// Alpine's build that needs no eval, for pages with small states of their own.
import Alpine from "@alpinejs/csp";

Alpine.start();
