module @likely {
  func.func @main(%arg0: tensor<2xui32>) -> (tensor<5xf32>) {
    %0 = "stablehlo.slice"(%arg0) {start_indices = array<i64: 0>, limit_indices = array<i64: 1>, strides = array<i64: 1>} : (tensor<2xui32>) -> tensor<1xui32>
    %1 = "stablehlo.broadcast_in_dim"(%0) {broadcast_dimensions = array<i64: 0>} : (tensor<1xui32>) -> tensor<3xui32>
    %2 = "stablehlo.slice"(%arg0) {start_indices = array<i64: 1>, limit_indices = array<i64: 2>, strides = array<i64: 1>} : (tensor<2xui32>) -> tensor<1xui32>
    %3 = "stablehlo.broadcast_in_dim"(%2) {broadcast_dimensions = array<i64: 0>} : (tensor<1xui32>) -> tensor<3xui32>
    %4 = "stablehlo.constant"() {value = dense<466688986> : tensor<3xui32>} : () -> tensor<3xui32>
    %5 = "stablehlo.xor"(%1, %3) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %6 = "stablehlo.xor"(%4, %5) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %7 = "stablehlo.iota"() {iota_dimension = 0 : i64} : () -> tensor<3xui32>
    %8 = "stablehlo.add"(%7, %1) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %9 = "stablehlo.constant"() {value = dense<0> : tensor<3xui32>} : () -> tensor<3xui32>
    %10 = "stablehlo.add"(%9, %3) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %11 = "stablehlo.add"(%8, %10) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %12 = "stablehlo.constant"() {value = dense<13> : tensor<3xui32>} : () -> tensor<3xui32>
    %13 = "stablehlo.shift_left"(%10, %12) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %14 = "stablehlo.constant"() {value = dense<19> : tensor<3xui32>} : () -> tensor<3xui32>
    %15 = "stablehlo.shift_right_logical"(%10, %14) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %16 = "stablehlo.or"(%13, %15) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %17 = "stablehlo.xor"(%16, %11) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %18 = "stablehlo.add"(%11, %17) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %19 = "stablehlo.constant"() {value = dense<15> : tensor<3xui32>} : () -> tensor<3xui32>
    %20 = "stablehlo.shift_left"(%17, %19) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %21 = "stablehlo.constant"() {value = dense<17> : tensor<3xui32>} : () -> tensor<3xui32>
    %22 = "stablehlo.shift_right_logical"(%17, %21) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %23 = "stablehlo.or"(%20, %22) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %24 = "stablehlo.xor"(%23, %18) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %25 = "stablehlo.add"(%18, %24) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %26 = "stablehlo.constant"() {value = dense<26> : tensor<3xui32>} : () -> tensor<3xui32>
    %27 = "stablehlo.shift_left"(%24, %26) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %28 = "stablehlo.constant"() {value = dense<6> : tensor<3xui32>} : () -> tensor<3xui32>
    %29 = "stablehlo.shift_right_logical"(%24, %28) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %30 = "stablehlo.or"(%27, %29) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %31 = "stablehlo.xor"(%30, %25) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %32 = "stablehlo.add"(%25, %31) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %33 = "stablehlo.constant"() {value = dense<6> : tensor<3xui32>} : () -> tensor<3xui32>
    %34 = "stablehlo.shift_left"(%31, %33) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %35 = "stablehlo.constant"() {value = dense<26> : tensor<3xui32>} : () -> tensor<3xui32>
    %36 = "stablehlo.shift_right_logical"(%31, %35) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %37 = "stablehlo.or"(%34, %36) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %38 = "stablehlo.xor"(%37, %32) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %39 = "stablehlo.add"(%32, %3) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %40 = "stablehlo.add"(%38, %6) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %41 = "stablehlo.constant"() {value = dense<1> : tensor<3xui32>} : () -> tensor<3xui32>
    %42 = "stablehlo.add"(%40, %41) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %43 = "stablehlo.add"(%39, %42) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %44 = "stablehlo.constant"() {value = dense<17> : tensor<3xui32>} : () -> tensor<3xui32>
    %45 = "stablehlo.shift_left"(%42, %44) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %46 = "stablehlo.constant"() {value = dense<15> : tensor<3xui32>} : () -> tensor<3xui32>
    %47 = "stablehlo.shift_right_logical"(%42, %46) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %48 = "stablehlo.or"(%45, %47) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %49 = "stablehlo.xor"(%48, %43) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %50 = "stablehlo.add"(%43, %49) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %51 = "stablehlo.constant"() {value = dense<29> : tensor<3xui32>} : () -> tensor<3xui32>
    %52 = "stablehlo.shift_left"(%49, %51) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %53 = "stablehlo.constant"() {value = dense<3> : tensor<3xui32>} : () -> tensor<3xui32>
    %54 = "stablehlo.shift_right_logical"(%49, %53) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %55 = "stablehlo.or"(%52, %54) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %56 = "stablehlo.xor"(%55, %50) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %57 = "stablehlo.add"(%50, %56) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %58 = "stablehlo.constant"() {value = dense<16> : tensor<3xui32>} : () -> tensor<3xui32>
    %59 = "stablehlo.shift_left"(%56, %58) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %60 = "stablehlo.constant"() {value = dense<16> : tensor<3xui32>} : () -> tensor<3xui32>
    %61 = "stablehlo.shift_right_logical"(%56, %60) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %62 = "stablehlo.or"(%59, %61) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %63 = "stablehlo.xor"(%62, %57) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %64 = "stablehlo.add"(%57, %63) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %65 = "stablehlo.constant"() {value = dense<24> : tensor<3xui32>} : () -> tensor<3xui32>
    %66 = "stablehlo.shift_left"(%63, %65) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %67 = "stablehlo.constant"() {value = dense<8> : tensor<3xui32>} : () -> tensor<3xui32>
    %68 = "stablehlo.shift_right_logical"(%63, %67) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %69 = "stablehlo.or"(%66, %68) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %70 = "stablehlo.xor"(%69, %64) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %71 = "stablehlo.add"(%64, %6) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %72 = "stablehlo.add"(%70, %1) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %73 = "stablehlo.constant"() {value = dense<2> : tensor<3xui32>} : () -> tensor<3xui32>
    %74 = "stablehlo.add"(%72, %73) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %75 = "stablehlo.add"(%71, %74) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %76 = "stablehlo.constant"() {value = dense<13> : tensor<3xui32>} : () -> tensor<3xui32>
    %77 = "stablehlo.shift_left"(%74, %76) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %78 = "stablehlo.constant"() {value = dense<19> : tensor<3xui32>} : () -> tensor<3xui32>
    %79 = "stablehlo.shift_right_logical"(%74, %78) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %80 = "stablehlo.or"(%77, %79) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %81 = "stablehlo.xor"(%80, %75) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %82 = "stablehlo.add"(%75, %81) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %83 = "stablehlo.constant"() {value = dense<15> : tensor<3xui32>} : () -> tensor<3xui32>
    %84 = "stablehlo.shift_left"(%81, %83) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %85 = "stablehlo.constant"() {value = dense<17> : tensor<3xui32>} : () -> tensor<3xui32>
    %86 = "stablehlo.shift_right_logical"(%81, %85) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %87 = "stablehlo.or"(%84, %86) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %88 = "stablehlo.xor"(%87, %82) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %89 = "stablehlo.add"(%82, %88) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %90 = "stablehlo.constant"() {value = dense<26> : tensor<3xui32>} : () -> tensor<3xui32>
    %91 = "stablehlo.shift_left"(%88, %90) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %92 = "stablehlo.constant"() {value = dense<6> : tensor<3xui32>} : () -> tensor<3xui32>
    %93 = "stablehlo.shift_right_logical"(%88, %92) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %94 = "stablehlo.or"(%91, %93) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %95 = "stablehlo.xor"(%94, %89) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %96 = "stablehlo.add"(%89, %95) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %97 = "stablehlo.constant"() {value = dense<6> : tensor<3xui32>} : () -> tensor<3xui32>
    %98 = "stablehlo.shift_left"(%95, %97) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %99 = "stablehlo.constant"() {value = dense<26> : tensor<3xui32>} : () -> tensor<3xui32>
    %100 = "stablehlo.shift_right_logical"(%95, %99) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %101 = "stablehlo.or"(%98, %100) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %102 = "stablehlo.xor"(%101, %96) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %103 = "stablehlo.add"(%96, %1) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %104 = "stablehlo.add"(%102, %3) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %105 = "stablehlo.constant"() {value = dense<3> : tensor<3xui32>} : () -> tensor<3xui32>
    %106 = "stablehlo.add"(%104, %105) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %107 = "stablehlo.add"(%103, %106) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %108 = "stablehlo.constant"() {value = dense<17> : tensor<3xui32>} : () -> tensor<3xui32>
    %109 = "stablehlo.shift_left"(%106, %108) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %110 = "stablehlo.constant"() {value = dense<15> : tensor<3xui32>} : () -> tensor<3xui32>
    %111 = "stablehlo.shift_right_logical"(%106, %110) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %112 = "stablehlo.or"(%109, %111) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %113 = "stablehlo.xor"(%112, %107) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %114 = "stablehlo.add"(%107, %113) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %115 = "stablehlo.constant"() {value = dense<29> : tensor<3xui32>} : () -> tensor<3xui32>
    %116 = "stablehlo.shift_left"(%113, %115) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %117 = "stablehlo.constant"() {value = dense<3> : tensor<3xui32>} : () -> tensor<3xui32>
    %118 = "stablehlo.shift_right_logical"(%113, %117) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %119 = "stablehlo.or"(%116, %118) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %120 = "stablehlo.xor"(%119, %114) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %121 = "stablehlo.add"(%114, %120) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %122 = "stablehlo.constant"() {value = dense<16> : tensor<3xui32>} : () -> tensor<3xui32>
    %123 = "stablehlo.shift_left"(%120, %122) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %124 = "stablehlo.constant"() {value = dense<16> : tensor<3xui32>} : () -> tensor<3xui32>
    %125 = "stablehlo.shift_right_logical"(%120, %124) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %126 = "stablehlo.or"(%123, %125) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %127 = "stablehlo.xor"(%126, %121) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %128 = "stablehlo.add"(%121, %127) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %129 = "stablehlo.constant"() {value = dense<24> : tensor<3xui32>} : () -> tensor<3xui32>
    %130 = "stablehlo.shift_left"(%127, %129) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %131 = "stablehlo.constant"() {value = dense<8> : tensor<3xui32>} : () -> tensor<3xui32>
    %132 = "stablehlo.shift_right_logical"(%127, %131) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %133 = "stablehlo.or"(%130, %132) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %134 = "stablehlo.xor"(%133, %128) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %135 = "stablehlo.add"(%128, %3) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %136 = "stablehlo.add"(%134, %6) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %137 = "stablehlo.constant"() {value = dense<4> : tensor<3xui32>} : () -> tensor<3xui32>
    %138 = "stablehlo.add"(%136, %137) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %139 = "stablehlo.add"(%135, %138) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %140 = "stablehlo.constant"() {value = dense<13> : tensor<3xui32>} : () -> tensor<3xui32>
    %141 = "stablehlo.shift_left"(%138, %140) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %142 = "stablehlo.constant"() {value = dense<19> : tensor<3xui32>} : () -> tensor<3xui32>
    %143 = "stablehlo.shift_right_logical"(%138, %142) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %144 = "stablehlo.or"(%141, %143) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %145 = "stablehlo.xor"(%144, %139) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %146 = "stablehlo.add"(%139, %145) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %147 = "stablehlo.constant"() {value = dense<15> : tensor<3xui32>} : () -> tensor<3xui32>
    %148 = "stablehlo.shift_left"(%145, %147) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %149 = "stablehlo.constant"() {value = dense<17> : tensor<3xui32>} : () -> tensor<3xui32>
    %150 = "stablehlo.shift_right_logical"(%145, %149) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %151 = "stablehlo.or"(%148, %150) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %152 = "stablehlo.xor"(%151, %146) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %153 = "stablehlo.add"(%146, %152) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %154 = "stablehlo.constant"() {value = dense<26> : tensor<3xui32>} : () -> tensor<3xui32>
    %155 = "stablehlo.shift_left"(%152, %154) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %156 = "stablehlo.constant"() {value = dense<6> : tensor<3xui32>} : () -> tensor<3xui32>
    %157 = "stablehlo.shift_right_logical"(%152, %156) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %158 = "stablehlo.or"(%155, %157) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %159 = "stablehlo.xor"(%158, %153) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %160 = "stablehlo.add"(%153, %159) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %161 = "stablehlo.constant"() {value = dense<6> : tensor<3xui32>} : () -> tensor<3xui32>
    %162 = "stablehlo.shift_left"(%159, %161) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %163 = "stablehlo.constant"() {value = dense<26> : tensor<3xui32>} : () -> tensor<3xui32>
    %164 = "stablehlo.shift_right_logical"(%159, %163) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %165 = "stablehlo.or"(%162, %164) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %166 = "stablehlo.xor"(%165, %160) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %167 = "stablehlo.add"(%160, %6) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %168 = "stablehlo.add"(%166, %1) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %169 = "stablehlo.constant"() {value = dense<5> : tensor<3xui32>} : () -> tensor<3xui32>
    %170 = "stablehlo.add"(%168, %169) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %171 = "stablehlo.constant"() {value = dense<8> : tensor<3xui32>} : () -> tensor<3xui32>
    %172 = "stablehlo.shift_right_logical"(%167, %171) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %173 = "stablehlo.constant"() {value = dense<1> : tensor<3xui32>} : () -> tensor<3xui32>
    %174 = "stablehlo.add"(%172, %173) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %175 = "stablehlo.convert"(%174) : (tensor<3xui32>) -> tensor<3xf32>
    %176 = "stablehlo.constant"() {value = dense<5.9604645e-08> : tensor<3xf32>} : () -> tensor<3xf32>
    %177 = "stablehlo.multiply"(%175, %176) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %178 = "stablehlo.log"(%177) : (tensor<3xf32>) -> tensor<3xf32>
    %179 = "stablehlo.constant"() {value = dense<-2.0e+00> : tensor<3xf32>} : () -> tensor<3xf32>
    %180 = "stablehlo.multiply"(%178, %179) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %181 = "stablehlo.sqrt"(%180) : (tensor<3xf32>) -> tensor<3xf32>
    %182 = "stablehlo.constant"() {value = dense<536870912> : tensor<3xui32>} : () -> tensor<3xui32>
    %183 = "stablehlo.add"(%170, %182) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %184 = "stablehlo.constant"() {value = dense<30> : tensor<3xui32>} : () -> tensor<3xui32>
    %185 = "stablehlo.shift_right_logical"(%183, %184) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %186 = "stablehlo.constant"() {value = dense<30> : tensor<3xui32>} : () -> tensor<3xui32>
    %187 = "stablehlo.shift_left"(%185, %186) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %188 = "stablehlo.subtract"(%170, %187) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %189 = "stablehlo.bitcast_convert"(%188) : (tensor<3xui32>) -> tensor<3xi32>
    %190 = "stablehlo.convert"(%189) : (tensor<3xi32>) -> tensor<3xf32>
    %191 = "stablehlo.constant"() {value = dense<1.4629181e-09> : tensor<3xf32>} : () -> tensor<3xf32>
    %192 = "stablehlo.multiply"(%190, %191) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %193 = "stablehlo.cosine"(%192) : (tensor<3xf32>) -> tensor<3xf32>
    %194 = "stablehlo.sine"(%192) : (tensor<3xf32>) -> tensor<3xf32>
    %195 = "stablehlo.constant"() {value = dense<1> : tensor<3xui32>} : () -> tensor<3xui32>
    %196 = "stablehlo.and"(%185, %195) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %197 = "stablehlo.constant"() {value = dense<0> : tensor<3xui32>} : () -> tensor<3xui32>
    %198 = "stablehlo.compare"(%196, %197) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xi1>
    %199 = "stablehlo.select"(%198, %194, %193) : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %200 = "stablehlo.select"(%198, %193, %194) : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %201 = "stablehlo.constant"() {value = dense<1> : tensor<3xui32>} : () -> tensor<3xui32>
    %202 = "stablehlo.add"(%185, %201) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %203 = "stablehlo.constant"() {value = dense<2> : tensor<3xui32>} : () -> tensor<3xui32>
    %204 = "stablehlo.and"(%202, %203) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %205 = "stablehlo.constant"() {value = dense<0> : tensor<3xui32>} : () -> tensor<3xui32>
    %206 = "stablehlo.compare"(%204, %205) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xi1>
    %207 = "stablehlo.negate"(%199) : (tensor<3xf32>) -> tensor<3xf32>
    %208 = "stablehlo.select"(%206, %207, %199) : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %209 = "stablehlo.constant"() {value = dense<2> : tensor<3xui32>} : () -> tensor<3xui32>
    %210 = "stablehlo.and"(%185, %209) : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xui32>
    %211 = "stablehlo.constant"() {value = dense<0> : tensor<3xui32>} : () -> tensor<3xui32>
    %212 = "stablehlo.compare"(%210, %211) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<3xui32>, tensor<3xui32>) -> tensor<3xi1>
    %213 = "stablehlo.negate"(%200) : (tensor<3xf32>) -> tensor<3xf32>
    %214 = "stablehlo.select"(%212, %213, %200) : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %215 = "stablehlo.multiply"(%181, %208) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %216 = "stablehlo.multiply"(%181, %214) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %217 = "stablehlo.reshape"(%215) : (tensor<3xf32>) -> tensor<3x1xf32>
    %218 = "stablehlo.reshape"(%216) : (tensor<3xf32>) -> tensor<3x1xf32>
    %219 = "stablehlo.concatenate"(%217, %218) {dimension = 1 : i64} : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x2xf32>
    %220 = "stablehlo.reshape"(%219) : (tensor<3x2xf32>) -> tensor<6xf32>
    %221 = "stablehlo.slice"(%220) {start_indices = array<i64: 0>, limit_indices = array<i64: 5>, strides = array<i64: 1>} : (tensor<6xf32>) -> tensor<5xf32>
    "func.return"(%221) : (tensor<5xf32>) -> ()
  }
}
