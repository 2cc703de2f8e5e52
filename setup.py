"""What pyproject.toml cannot say: the folder resources/ is packed as studio/resources."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["studio", "studio.*"]), "studio.resources"],
    package_dir={"studio.resources": "resources"},
)
