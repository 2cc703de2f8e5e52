"""What pyproject.toml cannot say: the folder resources/ is packed as studio/resources.

And what tells a Linux desktop of the program goes to share/, beside the command.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["studio", "studio.*"]), "studio.resources"],
    package_dir={"studio.resources": "resources"},
    data_files=[
        ("share/applications", ["packaging/linux/layerloom.desktop"]),
        ("share/mime/packages", ["packaging/linux/layerloom.xml"]),
        ("share/icons/hicolor/scalable/apps", ["resources/icons/layerloom.svg"]),
    ],
)
