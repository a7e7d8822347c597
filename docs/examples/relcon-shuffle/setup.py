from setuptools import setup

setup(
    name="relcon-shuffle",
    version="0.1.0",
    description="An augmenter and an objective for relcon.",
    packages=["relcon_shuffle"],
    install_requires=["relcon>=0.1"],
    entry_points={
        "relcon_augmenters": ["shuffle.WindowShuffle.v1 = relcon_shuffle.augmenters:WindowShuffle"],
        "relcon_objectives": ["shuffle.AlignUniform.v1 = relcon_shuffle.objectives:AlignUniform"],
    },
)
