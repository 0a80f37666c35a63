"""Opening the licence folder of an installation under the root keys that its settings name."""

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.document.errors import DocumentError
from server.core import clock
from server.core.config import Settings
from server.core.errors import Broken, Missing
from server.core.i18n import gettext as _
from server.core.version import VERSION


def open_client(settings: Settings) -> LicenseClient:
    """Return the licence client; raise Missing or Broken when the root keys are not what they should be."""
    bundle = settings.license.ca_bundle
    config = ClientConfig(
        directory=settings.license_dir,
        authority_urls=settings.license.authority_urls,
        trust_root=settings.trust_root,
        product_version=VERSION,
        ca_bundle=settings.home / bundle if bundle else None,
    )
    try:
        return LicenseClient(config, Clocks(wall=clock.timestamp, monotonic=clock.monotonic))
    except FileNotFoundError as error:
        raise Missing(
            _(
                "The vendor's root keys are not at %(path)s. Copy root.json from the delivery there.",
                path=settings.trust_root,
            )
        ) from error
    except DocumentError as error:
        raise Broken(
            _(
                "The vendor's root keys at %(path)s are damaged: %(why)s "
                "Copy root.json from the delivery there.",
                path=settings.trust_root,
                why=error.message,
            )
        ) from error
