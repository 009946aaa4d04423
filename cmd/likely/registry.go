package main

// Importing a package of models registers them.
import (
	_ "github.com/likely-ml/likely/discriminative"
	_ "github.com/likely-ml/likely/generative"
)
