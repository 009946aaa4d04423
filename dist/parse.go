package dist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/likely-ml/likely/internal/suggest"
)

// Family is a kind of distribution that Parse reads.
type Family struct {
	Name       string
	Parameters string // in their order, such as "mean, standard deviation"
	Support    string // the x that have a probability or density
	Example    string

	read func(p *parser, f *Family) (Distribution, error) // reads the parameters, between the parentheses
}

// families is a function, since mixtures hold distributions of any family.
func families() []Family {
	return []Family{
		{"normal", "mean, standard deviation", "x in R", "normal(0,1)", two(NewNormal)},
		{"student", "degrees of freedom, location, scale", "x in R", "student(3,0,1)", three(NewStudent)},
		{"laplace", "location, scale", "x in R", "laplace(0,1)", two(NewLaplace)},
		{"logistic", "location, scale", "x in R", "logistic(0,1)", two(NewLogistic)},
		{"cauchy", "location, scale", "x in R", "cauchy(0,1)", two(NewCauchy)},
		{"uniform", "low, high", "low <= x <= high", "uniform(0,1)", two(NewUniform)},
		{"exponential", "rate", "x >= 0", "exponential(2)", one(NewExponential)},
		{"gamma", "shape, rate", "x > 0", "gamma(2,0.5)", two(NewGamma)},
		{"lognormal", "mean of log x, standard deviation of log x", "x > 0", "lognormal(0,1)", two(NewLogNormal)},
		{"beta", "a, b", "0 < x < 1", "beta(2,3)", two(NewBeta)},
		{"bernoulli", "probability of 1", "0, 1", "bernoulli(0.3)", one(NewBernoulli)},
		{"binomial", "number of trials, probability", "0, 1, … trials", "binomial(10,0.3)", two(NewBinomial)},
		{"poisson", "mean", "0, 1, …", "poisson(4)", one(NewPoisson)},
		{"geometric", "probability", "1, 2, …", "geometric(0.2)", one(NewGeometric)},
		{"discrete_uniform", "low, high", "low, low+1, … high", "discrete_uniform(1,6)", two(NewDiscreteUniform)},
		{"categorical", "p0, p1, …, which sum to 1", "0, 1, …", "categorical(0.2,0.3,0.5)", list(NewCategorical)},
		{"mvnormal", "[means], [[covariances]]", "x in R^d", "mvnormal([0,0],[[1,0.5],[0.5,2]])", readMVNormal},
		{"mixture", "weight: distribution, …; weights sum to 1", "that of any member", "mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))", readMixture},
		{"product", "distribution, distribution, …", "that of each factor", "product(normal(0,1), uniform(0,1))", readProduct},
	}
}

// Families are the distributions that Parse reads, for help texts.
func Families() []Family { return families() }

// Parse reads a distribution as String writes it, such as
//
//	mixture(0.3:normal(-2,1), 0.7:normal(3,0.5))
//
// Case does not count, and spaces may stand between any two words. A number may be a fraction, 1/3. An error says at which
// column, from 1, the text is not what was expected.
func Parse(text string) (Distribution, error) {
	p := &parser{text: text}
	d, err := p.distribution()
	if err == nil {
		if p.space(); p.at < len(text) {
			err = p.expected("the end")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cut(text), err)
	}
	return d, nil
}

// cut is the text as the start of an error, on one line and without its end where it is long.
func cut(text string) string {
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return `""`
	}
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// maxDepth is how deep mixtures and products may be nested, so that no text exhausts the stack.
const maxDepth = 32

// parser reads text from byte at on.
type parser struct {
	text   string
	at     int
	depth  int
	starts []int // where each parameter of the distribution that is being read starts
}

func (p *parser) column(at int) int { return utf8.RuneCountInString(p.text[:at]) + 1 }

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// word is the longest run of the bytes that belong to it.
func (p *parser) word(belongs func(c byte) bool) string {
	start := p.at
	for p.at < len(p.text) && belongs(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

// accept takes a sign if it is the next one.
func (p *parser) accept(sign byte) bool {
	if p.space(); p.at < len(p.text) && p.text[p.at] == sign {
		p.at++
		return true
	}
	return false
}

// require takes a sign, or says what else there is.
func (p *parser) require(signs string) (byte, error) {
	for i := range len(signs) {
		if p.accept(signs[i]) {
			return signs[i], nil
		}
	}
	return 0, p.expected(`"` + strings.Join(strings.Split(signs, ""), `" or "`) + `"`)
}

// expected is the error at the next sign.
func (p *parser) expected(what string) error {
	p.space()
	if p.at == len(p.text) {
		return fmt.Errorf("the text ends at column %d, expected %s", p.column(p.at), what)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return fmt.Errorf("%q at column %d, expected %s", r, p.column(p.at), what)
}

// number reads a number, or a fraction of two.
func (p *parser) number() (float64, error) {
	p.space()
	p.starts = append(p.starts, p.at)
	v, err := p.decimal()
	if err == nil && p.accept('/') {
		p.space()
		start := p.at
		var by float64
		if by, err = p.decimal(); err == nil && by == 0 {
			err = fmt.Errorf("division by 0 at column %d", p.column(start))
		}
		v /= by
	}
	return v, err
}

func (p *parser) decimal() (float64, error) {
	p.space()
	start := p.at
	text := p.word(func(c byte) bool {
		return '0' <= c && c <= '9' || c == '.' || c|0x20 == 'e' || (c == '-' || c == '+') && (p.at == start || p.text[p.at-1]|0x20 == 'e')
	})
	if text == "" {
		return 0, p.expected("a number")
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q at column %d, expected a number within ±1.8e308", text, p.column(start))
	}
	return v, nil
}

// numbers reads numbers with commas between them, up to the closing sign.
func (p *parser) numbers(closing byte) ([]float64, error) {
	var all []float64
	for {
		v, err := p.number()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if sign, err := p.require("," + string(closing)); err != nil || sign == closing {
			return all, err
		}
	}
}

// distribution reads a name and its parameters.
func (p *parser) distribution() (Distribution, error) {
	p.space()
	start := p.at
	name := strings.ToLower(p.word(func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' }))
	if name == "" {
		return nil, p.expected("a distribution, such as normal(0,1)")
	}
	var names []string
	for _, f := range families() {
		if f.Name != name {
			names = append(names, f.Name)
			continue
		}
		if _, err := p.require("("); err != nil {
			return nil, fmt.Errorf("%w and the parameters: %s(%s)", err, f.Name, f.Parameters)
		}
		if p.depth++; p.depth > maxDepth {
			return nil, fmt.Errorf("distributions are nested deeper than %d at column %d", maxDepth, p.column(start))
		}
		outer := p.starts
		p.starts = nil
		d, err := f.read(p, &f)
		// A parameter that the family refuses is found where it was written.
		if wrong := (*ParameterError)(nil); errors.As(err, &wrong) {
			err = fmt.Errorf("%s is %s at column %d, expected %s", wrong.Name, wrong.Found, p.column(p.starts[wrong.Index]), wrong.Expected)
		}
		p.starts = outer
		p.depth--
		return d, err
	}
	hint := suggest.Hint(name, names)
	if hint == "" {
		hint = ", expected one of " + strings.Join(names, ", ")
	}
	return nil, fmt.Errorf("unknown distribution %q at column %d%s", name, p.column(start), hint)
}

// counted is such as 1 number, 2 numbers.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// fixed reads n numbers for a family.
func fixed(n int, build func(v []float64) (Distribution, error)) func(*parser, *Family) (Distribution, error) {
	return func(p *parser, f *Family) (Distribution, error) {
		v, err := p.numbers(')')
		if err != nil {
			return nil, err
		}
		if len(v) != n {
			return nil, fmt.Errorf("%s has %s at column %d, expected %d: %s", f.Name, counted(len(v), "parameter"), p.column(p.starts[0]), n, f.Parameters)
		}
		return build(v)
	}
}

// checked is the distribution, or nil with an error.
func checked[D Distribution](d D, err error) (Distribution, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

func one[D Distribution](build func(a float64) (D, error)) func(*parser, *Family) (Distribution, error) {
	return fixed(1, func(v []float64) (Distribution, error) { return checked(build(v[0])) })
}

func two[D Distribution](build func(a, b float64) (D, error)) func(*parser, *Family) (Distribution, error) {
	return fixed(2, func(v []float64) (Distribution, error) { return checked(build(v[0], v[1])) })
}

func three[D Distribution](build func(a, b, c float64) (D, error)) func(*parser, *Family) (Distribution, error) {
	return fixed(3, func(v []float64) (Distribution, error) { return checked(build(v[0], v[1], v[2])) })
}

func list[D Distribution](build func(v ...float64) (D, error)) func(*parser, *Family) (Distribution, error) {
	return func(p *parser, _ *Family) (Distribution, error) {
		v, err := p.numbers(')')
		if err != nil {
			return nil, err
		}
		return checked(build(v...))
	}
}

// readMixture reads weight: distribution, …
func readMixture(p *parser, _ *Family) (Distribution, error) {
	var weights []float64
	var members []Distribution
	for {
		w, err := p.number()
		if err != nil {
			return nil, err
		}
		if _, err := p.require(":"); err != nil {
			return nil, err
		}
		member, err := p.distribution()
		if err != nil {
			return nil, err
		}
		weights, members = append(weights, w), append(members, member)
		switch sign, err := p.require(",)"); {
		case err != nil:
			return nil, err
		case sign == ')':
			return checked(NewMixture(weights, members))
		}
	}
}

// readProduct reads distribution, distribution, …
func readProduct(p *parser, _ *Family) (Distribution, error) {
	var factors []Distribution
	for {
		p.space()
		p.starts = append(p.starts, p.at)
		factor, err := p.distribution()
		if err != nil {
			return nil, err
		}
		factors = append(factors, factor)
		switch sign, err := p.require(",)"); {
		case err != nil:
			return nil, err
		case sign == ')':
			return checked(NewProduct(factors...))
		}
	}
}

// readMVNormal reads [mean], [[covariance]].
func readMVNormal(p *parser, _ *Family) (Distribution, error) {
	if _, err := p.require("["); err != nil {
		return nil, err
	}
	first := p.at
	mean, err := p.numbers(']')
	if err != nil {
		return nil, err
	}
	if _, err := p.require(","); err != nil {
		return nil, err
	}
	p.space()
	second := p.at
	if _, err := p.require("["); err != nil {
		return nil, err
	}
	var covariance []float64
	for rows := 1; ; rows++ {
		p.space()
		start := p.at
		if _, err := p.require("["); err != nil {
			return nil, err
		}
		row, err := p.numbers(']')
		if err != nil {
			return nil, err
		}
		if len(row) != len(mean) {
			return nil, fmt.Errorf("row %d of the covariance has %s at column %d, expected %d, as the mean has", rows, counted(len(row), "number"), p.column(start), len(mean))
		}
		covariance = append(covariance, row...)
		sign, err := p.require(",]")
		if err != nil {
			return nil, err
		}
		if sign == ']' {
			break
		}
	}
	if _, err := p.require(")"); err != nil {
		return nil, err
	}
	p.starts = []int{first, second}
	return checked(NewMVNormal(mean, covariance))
}
