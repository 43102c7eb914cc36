#!/bin/bash
# Installs the compilers that gpucheck.py uses, on Debian 12 (x86-64). Does only what is missing,
# so that a second run takes a moment.
#
# clang and the LLVM libraries that Intel's compiler links are installed by apt. The vendors'
# libraries are unpacked under $GPUCHECK_ROOT (by default ~/.cache/gpucheck) and not installed:
# libclc-19 conflicts with the libclc of Mesa, and intel-opencl-icd would add a platform to every
# OpenCL program of this machine. Where no CUDA toolkit is on the PATH, ptxas, libdevice and
# nvdisasm come from NVIDIA's Python packages.
set -euo pipefail

root=${GPUCHECK_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/gpucheck}
lib=$root/usr/lib/x86_64-linux-gnu

# apt package : a file under $root that shows that it is there
unpacked=(
    "libclc-19:usr/lib/clc/nvptx64--nvidiacl.bc"
    "rocm-device-libs:usr/lib/x86_64-linux-gnu/amdgcn/bitcode/ocml.bc"
    "intel-opencl-icd:usr/bin/ocloc"
    "libigc1:usr/lib/x86_64-linux-gnu/libigc.so.1"
    "libigdfcl1:usr/lib/x86_64-linux-gnu/libigdfcl.so.1"
    "libigdgmm12:usr/lib/x86_64-linux-gnu/libigdgmm.so.12"
    "libopencl-clang14:usr/lib/x86_64-linux-gnu/libopencl-clang.so.14"
    "libllvmspirvlib14:usr/lib/x86_64-linux-gnu/libLLVMSPIRVLib.so.14"
)
installed=(clang-19 libllvm14 libclang-cpp14)

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "needs root, or sudo, for: $*"
    fi
}

refreshed=
refresh_package_lists() {
    [ -n "$refreshed" ] || as_root apt-get update -qq || fail "apt-get update failed"
    refreshed=yes
}

install_packages() {
    local missing=() package
    for package in "${installed[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    refresh_package_lists
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
        fail "apt could not install ${missing[*]}"
}

unpack_packages() {
    local missing=() entry folder
    for entry in "${unpacked[@]}"; do
        [ -e "$root/${entry#*:}" ] || missing+=("${entry%%:*}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    refresh_package_lists
    folder=$(mktemp -d)
    (cd "$folder" && apt-get -o APT::Sandbox::User="$(id -un)" download -qq "${missing[@]}") ||
        fail "apt could not download ${missing[*]}"
    local archive
    for archive in "$folder"/*.deb; do
        dpkg -x "$archive" "$root" || fail "could not unpack $archive"
    done
    rm -r "$folder"
}

# Where a CUDA toolkit, or what was fetched before, may lie.
cuda_folders() {
    local ptxas
    ptxas=$(command -v ptxas) && dirname "$(dirname "$(readlink -f "$ptxas")")"
    printf '%s\n' "${CUDA_HOME:-}" /usr/local/cuda /usr/lib/cuda "$root"/cuda/*/nvidia/*
}

# have_cuda FILE: a path inside a toolkit, such as bin/ptxas
have_cuda() {
    local folder
    command -v "$(basename "$1")" >/dev/null && return
    while read -r folder; do
        [ -n "$folder" ] && [ -e "$folder/$1" ] && return
    done < <(cuda_folders)
    return 1
}

# fetch_cuda FOLDER PACKAGE FILE...: fetches NVIDIA's Python package unless all the files are there
fetch_cuda() {
    local folder=$root/cuda/$1 package=$2 file incomplete=
    shift 2
    for file in "$@"; do
        have_cuda "$file" || incomplete=yes
    done
    [ -n "$incomplete" ] || return 0
    python3 -m pip --version >/dev/null 2>&1 ||
        fail "no CUDA toolkit on the PATH, and no pip to fetch $package with"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-warn-script-location \
        --root-user-action=ignore --target "$folder" --upgrade "$package" ||
        fail "pip could not fetch $package"
    for file in "$@"; do
        have_cuda "$file" || fail "no $file in $package"
    done
}

# The loader's verdict on what was unpacked.
check_intel() {
    local file lost
    for file in "$root/usr/bin/ocloc" "$lib/libigc.so.1" "$lib/libopencl-clang.so.14"; do
        lost=$(LD_LIBRARY_PATH=$lib ldd "$file" | grep 'not found' || true)
        [ -z "$lost" ] || fail "$file lacks libraries: $lost"
    done
}

command -v apt-get >/dev/null || fail "made for Debian 12: there is no apt-get here"
mkdir -p "$root" || fail "cannot write to $root"
install_packages
unpack_packages
fetch_cuda ptxas nvidia-cuda-nvcc-cu12 bin/ptxas nvvm/libdevice/libdevice.10.bc
fetch_cuda nvdisasm "nvidia-cuda-nvdisasm<14" bin/nvdisasm
check_intel
echo "compilers are ready under $root"
