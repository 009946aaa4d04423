package main
import ("testing";"github.com/likely-ml/likely/tensor/cpu")
func BenchmarkCNN1(b *testing.B){ run(b,"cnn",1)}
func BenchmarkCNN2(b *testing.B){ run(b,"cnn",2)}
func BenchmarkMLP2(b *testing.B){ run(b,"mlp",2)}
func run(b *testing.B,name string,th int){
 for _,w:=range workloads{ if w.name==name { step,err:=w.compile(cpu.New(th)); if err!=nil{b.Fatal(err)}; b.ReportAllocs(); for b.Loop(){ step() } } }
}
