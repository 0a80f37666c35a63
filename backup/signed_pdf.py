"""PDFs that carry the backup key's signature (PAdES), so that a page on record cannot be changed.

The certificate is made from the key alone and is always the same: who trusts the fingerprint on the page
needs nobody else.
"""

import io
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from backup.keys import Keyring

FIELD = "BackupKey"
_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_TO = datetime(2120, 1, 1, tzinfo=UTC)


def certificate_of(keys: Keyring) -> x509.Certificate:
    """Return the self-signed certificate of the backup key."""
    public = keys.signer.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Daftar {keys.signer_fingerprint}")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(int(keys.signer_fingerprint, 16) or 1)
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(usage, critical=True)
        .sign(keys.signer, None)
    )


def certificate_fingerprint(keys: Keyring) -> str:
    """Return the SHA-256 of the certificate, in hex, as readers of PDF show it."""
    return certificate_of(keys).fingerprint(hashes.SHA256()).hex()


def sign_pdf(content: bytes, keys: Keyring, *, name: str, reason: str) -> bytes:
    """Return the PDF with the signature of the backup key; every later change breaks it."""
    # The libraries of PDF signatures take a second to load, and only who signs one needs them.
    from asn1crypto.keys import PrivateKeyInfo  # type: ignore[import-untyped] # ships no types
    from asn1crypto.x509 import Certificate  # type: ignore[import-untyped] # ships no types
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner
    from pyhanko.sign.signers import sign_pdf as sign
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    encoding = serialization.Encoding.DER
    private = keys.signer.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = SimpleSigner(
        signing_cert=Certificate.load(certificate_of(keys).public_bytes(encoding)),
        signing_key=PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call] # untyped there
    )
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        name=name,
        reason=reason,
        md_algorithm="sha512",  # what Ed25519 asks for
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    signed = io.BytesIO()
    sign(IncrementalPdfFileWriter(io.BytesIO(content)), metadata, signer, output=signed)
    return signed.getvalue()
