"""What a browser calls itself, in words that its owner recognises; for pages, files and the command line."""

from server.core.i18n import gettext as _

# The first that fits wins: every browser claims to be some of those below it.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
HELD = frozenset({"iPhone", "iPad", "Android"})


def device_name(agent: str) -> tuple[str, str]:
    """Return the browser and its system in words, and the icon of such a device."""
    browser = next((name for sign, name in BROWSERS if sign in agent), "")
    system = next((name for sign, name in SYSTEMS if sign in agent), "")
    icon = "device-mobile" if system in HELD else "device-laptop"
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system), icon
    return browser or system or _("Unknown browser"), icon
