#!/bin/sh
# Makes the environment /opt/venv of the wheels in ./wheels, and removes the wheels.
set -eu
python -m venv --without-pip /opt/venv
pip --python /opt/venv/bin/python install --no-index --no-deps wheels/*.whl
rm -r wheels
# the image's user can't write bytecode, and a copied file's time must not make it stale; what lies
# in a folder such as "{{ name }}" is the template of a file
python -m compileall -q -x '[{]' --invalidation-mode unchecked-hash /opt/venv
