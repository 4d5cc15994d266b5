import os

models_dir = os.environ["STANDIN_MODELS"]
folder_names_and_paths = {"background_removal": ([os.path.join(models_dir, "background_removal")], {".safetensors", ".pth"})}


def get_folder_paths(name):
    return folder_names_and_paths[name][0][:]
