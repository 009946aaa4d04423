package data

import "strings"

// FolderName is the name of a class as a folder can have it on every system: T-shirt/top becomes T-shirt_top. Data that is
// read for a fitted model may have its classes under these names too.
func FolderName(class string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, class)
	if strings.Trim(name, ". ") == "" {
		return "_" + name
	}
	return name
}

// classOrFolder is the index of the class of that name or, where there is none, of the one class whose folder has the same name
// as that of a class of the given name: data and model may each have classes by their names or by those of their folders.
func classOrFolder(classes []string, name string) (index int, ok bool) {
	if index, ok = (&Schema{Classes: classes}).Class(name); ok {
		return index, true
	}
	for k, class := range classes {
		if FolderName(class) == FolderName(name) {
			if ok {
				return 0, false // two classes would have the folder
			}
			index, ok = k, true
		}
	}
	return index, ok
}
