#!/bin/sh
echo written > "$1"
