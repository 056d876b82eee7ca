"""From folders of images to arrays and labels; and drawn cats and dogs to practise on."""

from pyimagesearch.datasets.cifar10 import load_cifar10
from pyimagesearch.datasets.drawn import draw_dogs_vs_cats, draw_pet
from pyimagesearch.datasets.listing import (
    label_from_folder,
    label_from_name,
    list_class_folders,
    list_images,
)
from pyimagesearch.datasets.simpledatasetloader import SimpleDatasetLoader

__all__ = [
    "SimpleDatasetLoader",
    "draw_dogs_vs_cats",
    "draw_pet",
    "label_from_folder",
    "label_from_name",
    "list_class_folders",
    "list_images",
    "load_cifar10",
]
