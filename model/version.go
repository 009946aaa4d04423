package model

// Version is the version of the program and library. It stands in every model file.
const Version = "0.1.0"
