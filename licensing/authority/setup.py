"""Names the packages of the vendor's distribution; everything else about it is in setup.cfg."""

from setuptools import find_namespace_packages, setup

HOME = "licensing.authority"
ROOMS = find_namespace_packages(exclude=["build*", "*.templates*", "*.egg-info*"])

setup(
    package_dir={HOME: "."},
    packages=[HOME, *(f"{HOME}.{room}" for room in ROOMS)],
)
